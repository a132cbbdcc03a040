'use strict';
// What the peers on the npm library "smpp" share: how a step of a script
// becomes a request, and what is told of a message that came.
const smpp = require('smpp');

// Optional parameters are octets both ways: a script may have them wrong, and
// nothing is lost of what came.
const parameters = {
	sar_msg_ref_num: 0x020c, sar_total_segments: 0x020e, sar_segment_seqnum: 0x020f,
	message_payload: 0x0424, privacy_indicator: 0x0201, user_message_reference: 0x0204,
};
for (const [tag, id] of Object.entries(parameters)) {
	smpp.addTLV(tag, {id, type: smpp.types.tlv.buffer});
}

// The library decodes short_message in place; the octets are kept beside it.
const decode = smpp.filters.message.decode;
smpp.filters.message.decode = function(value, skipUdh) {
	if (Buffer.isBuffer(value)) {
		Object.defineProperty(this, 'octets', {value: value, enumerable: false, configurable: true});
	}
	return decode.call(this, value, skipUdh);
};

function say(event) {
	process.stdout.write(JSON.stringify(event) + '\n');
}

// content tells what a message says, octet by octet.
function content(pdu) {
	const payload = pdu.message_payload;
	const text = pdu.short_message && pdu.short_message.message;
	const part = pdu.sar_total_segments;
	return {
		source: pdu.source_addr,
		destination: pdu.destination_addr,
		esm_class: pdu.esm_class,
		data_coding: pdu.data_coding,
		registered_delivery: pdu.registered_delivery,
		octets: (payload || pdu.octets || Buffer.alloc(0)).toString('hex'),
		text: typeof text === 'string' ? text : '',
		sar: part ? `${pdu.sar_segment_seqnum[0]}/${part[0]}` : '',
		payload: payload !== undefined,
	};
}

// request makes a PDU of a step; from is the sender where it names none, ids
// are those that the steps before it were answered with.
function request(step, from, ids) {
	const address = {source_addr_ton: 1, source_addr_npi: 1, source_addr: from, dest_addr_ton: 1, dest_addr_npi: 1};
	const pdu = Object.assign({data_coding: 0}, step.command.startsWith('bind') ? {} : address, step.fields);
	if (/^(submit|replace|deliver)/.test(step.command)) {
		pdu.short_message = Buffer.from(step.text || '', 'hex');
	}
	if (step.dests || step.lists) {
		pdu.dest_address = (step.dests || []).map((a) => ({dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: a}))
			.concat((step.lists || []).map((name) => ({dl_name: name})));
	}
	if (step.id_of !== undefined) {
		pdu.message_id = ids[step.id_of];
	}
	for (const [name, octets] of Object.entries(step.tlvs || {})) {
		pdu[name] = Buffer.from(octets, 'hex');
	}
	return new smpp.PDU(step.command, pdu);
}

// ask sends a step and waits for its answer. A step "raw" is a PDU that the
// library would not write: the octets are given, but for the number.
function ask(session, step, from, ids) {
	return new Promise((done) => {
		if (step.command !== 'raw') {
			session.send(request(step, from, ids), done);
			return;
		}
		const octets = Buffer.from(step.text, 'hex');
		octets.writeUInt32BE(++session.sequence, 12);
		session._callbacks[session.sequence] = done;
		session.socket.write(octets);
	});
}

// status is the command_status that a number asks for: a prefix and five
// digits.
function status(prefix, number) {
	return number.startsWith(prefix) && /^\d{5}$/.test(number.slice(prefix.length)) ? Number(number.slice(prefix.length)) : 0;
}

module.exports = {say, content, ask, status};
