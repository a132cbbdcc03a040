'use strict';
// A carrier's message centre on the npm library "smpp": it accepts any bind,
// answers every submit_sm, sends a receipt for those that asked, and reports
// everything it sees as one JSON object a line. A destination 4477 and five
// digits is answered with these as its command_status; one of 15551 and digits
// is reported with the word whose number is the last of them. The only argument
// is a JSON object with options:
//   port      where to listen (0: a free one)
//   ids       "decimal": the receipt spells the id as the answer did
//             "hex": the answer has it in decimal, the receipt in hexadecimal
//   receipts  false: none
//   delay     milliseconds before the answer of each submit_sm
//   deliver   steps of a script: requests of ours, one after the other, which
//             begin when somebody submits to 15550000000
const smpp = require('smpp');
const {say, content, ask, status} = require('./steps');

const options = Object.assign({port: 0, ids: 'decimal', receipts: true, delay: 0}, JSON.parse(process.argv[2] || '{}'));

let next = 1000000 + Math.floor(Math.random() * 1000000);

function stamp(date) {
	return date.toISOString().replace(/[-:T]/g, '').slice(2, 12);
}

const words = ['DELIVRD', 'UNDELIV', 'REJECTD', 'EXPIRED', 'DELETED'];

function receipt(id, pdu) {
	const spelt = options.ids === 'hex' ? id.toString(16).toUpperCase() : String(id);
	const now = stamp(new Date());
	const word = words[/^15551\d+$/.test(pdu.destination_addr) ? pdu.destination_addr.slice(-1) : 0];
	const err = word === 'DELIVRD' ? '000' : '027';
	return {
		source_addr_ton: pdu.dest_addr_ton,
		source_addr_npi: pdu.dest_addr_npi,
		source_addr: pdu.destination_addr,
		dest_addr_ton: pdu.source_addr_ton,
		dest_addr_npi: pdu.source_addr_npi,
		destination_addr: pdu.source_addr,
		esm_class: 0x04,
		data_coding: 0,
		short_message: Buffer.from(`id:${spelt} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:${word} err:${err} text:`, 'latin1'),
	};
}

function submit(session, pdu) {
	const id = ++next;
	say(Object.assign({event: 'submit', id: String(id)}, content(pdu)));
	const refused = status('4477', pdu.destination_addr);
	if (refused) {
		session.send(pdu.response({command_status: refused}));
		return;
	}
	const answer = () => {
		session.send(pdu.response({message_id: String(id)}));
		if (options.receipts && pdu.registered_delivery & 0x03) {
			session.deliver_sm(receipt(id, pdu), (resp) => say({event: 'receipt', id: String(id), status: resp.command_status}));
		}
		if (options.deliver && pdu.destination_addr === '15550000000') {
			deliver(session);
		}
	};
	if (options.delay > 0) {
		setTimeout(answer, options.delay);
	} else {
		answer();
	}
}

// deliver goes through the script.
async function deliver(session) {
	for (const [index, step] of options.deliver.entries()) {
		const resp = await ask(session, step, '447700900123', []);
		say({event: 'answer', index, status: resp.command_status});
	}
	say({event: 'finished'});
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
