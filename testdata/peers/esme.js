'use strict';
// An ESME on the npm library "smpp" that answers deliver_sm and reports
// everything as one JSON object a line. It binds as a transceiver and submits a
// number of messages at a rate, or it goes through a script. The only argument
// is a JSON object with options:
//   port, system_id, password   the server
//   count, rate                 how many messages, how many a second
//   from, to                    addresses; "to" is followed by 4 digits
//   sessions                    a script: {bind, system_id, password, steps},
//                               one after the other, the last one stays
// What comes for 9955 and five digits is answered with these as command_status.
const smpp = require('smpp');
const {say, content, ask, status} = require('./steps');

const options = Object.assign({count: 100, rate: 100, from: '15551230001', to: '1555000'}, JSON.parse(process.argv[2] || '{}'));

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

function run(session) {
	const started = Date.now();
	let sent = 0;
	const timer = setInterval(() => {
		const due = Math.min(options.count, Math.floor((Date.now() - started) * options.rate / 1000) + 1);
		for (; sent < due; sent++) {
			submit(session, sent);
		}
		if (sent >= options.count) {
			clearInterval(timer);
		}
	}, 10);
}

function submit(session, i) {
	const destination = options.to + String(i).padStart(4, '0');
	const pdu = Object.assign({
		source_addr_ton: 1, source_addr_npi: 1, source_addr: options.from,
		dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: destination,
		registered_delivery: 1,
	}, body(i));
	session.submit_sm(pdu, (resp) => say({event: 'answer', index: i, destination, status: resp.command_status, id: resp.message_id}));
}

// script goes through the sessions; steps are numbered through.
async function script() {
	const ids = [];
	let index = 0;
	for (const [number, one] of options.sessions.entries()) {
		const session = await new Promise((done) => { const s = smpp.connect({host: '127.0.0.1', port: options.port}, () => done(s)); });
		serve(session, number === options.sessions.length - 1);
		const fields = {system_id: one.system_id, password: one.password, interface_version: 0x34};
		const bound = await ask(session, {command: one.bind, fields}, options.from, ids);
		say({event: 'bound', index: number, status: bound.command_status});
		for (const step of one.steps || []) {
			const resp = await ask(session, step, options.from, ids);
			ids.push(resp.message_id || '');
			say({
				event: 'answer', index: index++, status: resp.command_status, id: resp.message_id || '', message_state: resp.message_state || 0,
				failed: (resp.unsuccess_sme || []).map((u) => u.error_status_code),
			});
		}
		if (number < options.sessions.length - 1) {
			session.close();
		}
	}
	say({event: 'finished'});
}

// serve answers what the server asks; without the session that counts, there
// is nothing left to do.
function serve(session, counts) {
	session.on('deliver_sm', (pdu) => {
		const refused = status('9955', pdu.destination_addr);
		session.send(pdu.response({command_status: refused}));
		say(Object.assign({
			event: 'deliver',
			status: refused,
			receipted_message_id: pdu.receipted_message_id || '',
			message_state: pdu.message_state || 0,
		}, content(pdu)));
	});
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => {
		session.send(pdu.response());
		session.close();
	});
	session.on('error', (err) => {
		say({event: 'error', text: String(err)});
		if (counts) {
			process.exit(1);
		}
	});
	session.on('close', () => say({event: 'closed'}));
	if (counts) {
		// The test holds our standard input: when it goes away, we leave in order.
		process.stdin.on('end', () => {
			session.unbind(() => process.exit(0));
			setTimeout(() => process.exit(0), 1000);
		});
		process.stdin.resume();
	}
}

if (options.sessions) {
	script();
} else {
	const session = smpp.connect({host: '127.0.0.1', port: options.port}, () => {
		session.bind_transceiver({system_id: options.system_id, password: options.password, interface_version: 0x34}, (pdu) => {
			say({event: 'bound', status: pdu.command_status});
			if (pdu.command_status !== 0) {
				process.exit(1);
			}
			run(session);
		});
	});
	serve(session, true);
}
