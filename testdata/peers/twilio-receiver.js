// Takes callbacks as an application written with Twilio's library does: a form
// is believed only if the library says that its signature is right.
//   node twilio-receiver.js '{"token":"..."}'      prints one JSON line an event,
// with status 1 where the signature holds and a forged form would be found out
const http = require('http');
const twilio = require('twilio');

const { token } = JSON.parse(process.argv[2]);
const tell = (event) => console.log(JSON.stringify(event));

const server = http.createServer((req, res) => {
  let body = '';
  req.on('data', (chunk) => { body += chunk; });
  req.on('end', () => {
    const form = Object.fromEntries(new URLSearchParams(body));
    const url = 'http://' + req.headers.host + req.url;
    const valid = twilio.validateRequest(token, req.headers['x-twilio-signature'] || '', url, form);
    const forged = twilio.validateRequest(token, req.headers['x-twilio-signature'] || '', url, { ...form, Body: 'forged' });
    tell({ event: 'callback', id: form.MessageSid, text: form.MessageStatus || form.SmsStatus, source: form.From, destination: form.To, status: valid && !forged ? 1 : 0 });
    if (form.SmsStatus === 'received') {
      const answer = new twilio.twiml.MessagingResponse();
      answer.message('pong');
      res.writeHead(200, { 'Content-Type': 'text/xml' });
      res.end(answer.toString());
      return;
    }
    res.writeHead(204);
    res.end();
  });
});
server.listen(0, '127.0.0.1', () => tell({ event: 'listening', port: server.address().port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
