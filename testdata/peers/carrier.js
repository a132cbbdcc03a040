'use strict';
// A carrier's message centre on the npm library "smpp": it accepts any bind,
// answers every submit_sm, sends a receipt for those that asked, and reports
// everything it sees as one JSON object a line. A destination 4477 and five
// digits is answered with these as its command_status. The only argument is a
// JSON object with options:
//   port      where to listen (0: a free one)
//   ids       "decimal": the receipt spells the id as the answer did
//             "hex": the answer has it in decimal, the receipt in hexadecimal
//   receipts  false: none
//   delay     milliseconds before the answer of each submit_sm
const smpp = require('smpp');

const options = Object.assign({port: 0, ids: 'decimal', receipts: true, delay: 0}, JSON.parse(process.argv[2] || '{}'));

function say(event) {
	process.stdout.write(JSON.stringify(event) + '\n');
}

// The library decodes short_message in place; the octets are kept beside it.
const decode = smpp.filters.message.decode;
smpp.filters.message.decode = function(value, skipUdh) {
	if (Buffer.isBuffer(value)) {
		Object.defineProperty(this, 'octets', {value: value, enumerable: false, configurable: true});
	}
	return decode.call(this, value, skipUdh);
};

let next = 1000000 + Math.floor(Math.random() * 1000000);

function stamp(date) {
	return date.toISOString().replace(/[-:T]/g, '').slice(2, 12);
}

function receipt(id, pdu) {
	const spelt = options.ids === 'hex' ? id.toString(16).toUpperCase() : String(id);
	const now = stamp(new Date());
	return {
		source_addr_ton: pdu.dest_addr_ton,
		source_addr_npi: pdu.dest_addr_npi,
		source_addr: pdu.destination_addr,
		dest_addr_ton: pdu.source_addr_ton,
		dest_addr_npi: pdu.source_addr_npi,
		destination_addr: pdu.source_addr,
		esm_class: 0x04,
		data_coding: 0,
		short_message: Buffer.from(`id:${spelt} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:DELIVRD err:000 text:`, 'latin1'),
	};
}

function submit(session, pdu) {
	const id = ++next;
	const message = pdu.short_message || {};
	const text = message.message;
	say({
		event: 'submit',
		id: String(id),
		source: pdu.source_addr,
		destination: pdu.destination_addr,
		esm_class: pdu.esm_class,
		data_coding: pdu.data_coding,
		registered_delivery: pdu.registered_delivery,
		octets: (pdu.octets || Buffer.alloc(0)).toString('hex'),
		text: typeof text === 'string' ? text : '',
		sar: pdu.sar_total_segments ? `${pdu.sar_segment_seqnum}/${pdu.sar_total_segments}` : '',
		payload: pdu.message_payload !== undefined,
	});
	const refused = /^4477(\d{5})$/.exec(pdu.destination_addr);
	if (refused) {
		session.send(pdu.response({command_status: Number(refused[1])}));
		return;
	}
	const answer = () => {
		session.send(pdu.response({message_id: String(id)}));
		if (options.receipts && pdu.registered_delivery & 0x03) {
			session.deliver_sm(receipt(id, pdu), (resp) => say({event: 'receipt', id: String(id), status: resp.command_status}));
		}
	};
	if (options.delay > 0) {
		setTimeout(answer, options.delay);
	} else {
		answer();
	}
}

const server = smpp.createServer((session) => {
	session.on('error', () => session.destroy());
	for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
		session.on(bind, (pdu) => {
			session.send(pdu.response({system_id: 'carrier', sc_interface_version: 0x34}));
			say({event: 'bound', system_id: pdu.system_id, type: bind});
		});
	}
	session.on('submit_sm', (pdu) => submit(session, pdu));
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => {
		session.send(pdu.response());
		session.close();
	});
	session.on('close', () => say({event: 'closed'}));
});

server.listen(options.port, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));

// The test holds our standard input: when it goes away, so do we.
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
