'use strict';
// A web phone on the npm library JsSIP over WebSocket: it registers, reports
// everything it sees as one JSON object a line, and sends what it is told on
// standard input, one {"to", "text"} a line; it ends with its input. The only
// argument is a JSON object with options:
//   url       wss://127.0.0.1:8443
//   uri       sip:alice@smsc.test
//   password  of the user
//   ca        file with the authority of the server's certificate
const fs = require('fs');
const readline = require('readline');
const JsSIP = require('jssip');
const ws = require('ws');

const options = JSON.parse(process.argv[2]);

// What a browser has of itself.
global.WebSocket = class extends ws {
	constructor(url, protocols) {
		super(url, protocols, {ca: fs.readFileSync(options.ca)});
	}
};

function say(event) {
	process.stdout.write(JSON.stringify(event) + '\n');
}

const phone = new JsSIP.UA({
	sockets: [new JsSIP.WebSocketInterface(options.url)],
	uri: options.uri,
	password: options.password,
	register_expires: 120,
});

phone.on('registered', () => say({event: 'registered'}));
phone.on('registrationFailed', (e) => say({event: 'refused', text: String(e.cause)}));
phone.on('disconnected', (e) => say({event: 'disconnected', text: String(e.reason || e.code || '')}));
phone.on('newMessage', (e) => {
	if (e.originator !== 'remote') {
		return;
	}
	say({
		event: 'message', source: e.request.from.uri.user, text: e.request.body,
		id: e.request.getHeader('X-SMS-ID') || '', receipt: e.request.getHeader('X-SMS-RECEIPT') || '',
	});
});

readline.createInterface({input: process.stdin}).on('line', (line) => {
	const order = JSON.parse(line);
	phone.sendMessage('sip:' + order.to + '@' + phone.configuration.uri.host, order.text, {
		extraHeaders: order.headers || [],
		eventHandlers: {
			succeeded: (e) => say({event: 'sent', text: order.text, status: e.response.status_code, id: e.response.getHeader('X-SMS-ID') || ''}),
			failed: (e) => say({event: 'failed', text: order.text, status: e.response ? e.response.status_code : 0}),
		},
	});
}).on('close', () => {
	phone.stop();
	setTimeout(() => process.exit(0), 500).unref();
});

phone.start();
