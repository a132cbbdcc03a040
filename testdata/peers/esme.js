'use strict';
// An ESME on the npm library "smpp": it binds as a transceiver, submits a
// number of messages at a rate, answers deliver_sm, and reports everything as
// one JSON object a line. The only argument is a JSON object with options:
//   port, system_id, password   the server
//   count, rate                 how many messages, how many a second
//   from, to                    addresses; "to" is followed by 4 digits
const smpp = require('smpp');

const options = Object.assign({count: 100, rate: 100, from: '15551230001', to: '1555000'}, JSON.parse(process.argv[2] || '{}'));

function say(event) {
	process.stdout.write(JSON.stringify(event) + '\n');
}

// What is sent turns through the alphabets: GSM 7-bit, UCS-2, octets with a
// user data header (application ports).
function body(i) {
	switch (i % 3) {
	case 0:
		return {data_coding: 0, short_message: {message: `plain €${i}`}};
	case 1:
		return {data_coding: 8, short_message: {message: `ключ ${i} 😀`}};
	}
	return {
		data_coding: 4,
		esm_class: 0x40,
		short_message: Buffer.concat([Buffer.from([0x06, 0x05, 0x04, 0x0b, 0x84, 0x23, 0xf0]), Buffer.from(`\x80\xff ${i}`, 'latin1')]),
	};
}

const session = smpp.connect({host: '127.0.0.1', port: options.port}, () => {
	session.bind_transceiver({system_id: options.system_id, password: options.password, interface_version: 0x34}, (pdu) => {
		say({event: 'bound', status: pdu.command_status});
		if (pdu.command_status !== 0) {
			process.exit(1);
		}
		run();
	});
});

function run() {
	const started = Date.now();
	let sent = 0;
	const timer = setInterval(() => {
		const due = Math.min(options.count, Math.floor((Date.now() - started) * options.rate / 1000) + 1);
		for (; sent < due; sent++) {
			submit(sent);
		}
		if (sent >= options.count) {
			clearInterval(timer);
		}
	}, 10);
}

function submit(i) {
	const destination = options.to + String(i).padStart(4, '0');
	const pdu = Object.assign({
		source_addr_ton: 1, source_addr_npi: 1, source_addr: options.from,
		dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: destination,
		registered_delivery: 1,
	}, body(i));
	session.submit_sm(pdu, (resp) => say({event: 'answer', index: i, destination, status: resp.command_status, id: resp.message_id}));
}

session.on('deliver_sm', (pdu) => {
	const text = pdu.short_message && pdu.short_message.message;
	session.send(pdu.response());
	say({
		event: 'deliver',
		source: pdu.source_addr,
		destination: pdu.destination_addr,
		esm_class: pdu.esm_class,
		text: typeof text === 'string' ? text : '',
		receipted_message_id: pdu.receipted_message_id || '',
		message_state: pdu.message_state || 0,
	});
});
session.on('enquire_link', (pdu) => session.send(pdu.response()));
session.on('unbind', (pdu) => {
	session.send(pdu.response());
	session.close();
});
session.on('error', (err) => {
	say({event: 'error', text: String(err)});
	process.exit(1);
});
session.on('close', () => say({event: 'closed'}));

// The test holds our standard input: when it goes away, we leave in order.
process.stdin.on('end', () => {
	session.unbind(() => process.exit(0));
	setTimeout(() => process.exit(0), 1000);
});
process.stdin.resume();
