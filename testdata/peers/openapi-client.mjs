// Performs a tour of the HTTP interface with a client that a foreign library
// drives from the server's own OpenAPI document: methods, paths, parameters
// and headers come from there, and every answer is checked against the schema
// that the document has for it.
//   node openapi-client.mjs URL KEY        prints one JSON line
import openapi from 'openapi-client-axios';
import Ajv2020 from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const [, , server, key] = process.argv;
const definition = await (await fetch(server + '/api/openapi.json')).json();
const { OpenAPIClientAxios } = openapi;
const api = new OpenAPIClientAxios({
  definition: structuredClone(definition),
  withServer: { url: server },
  axiosConfigDefaults: { headers: { 'X-API-Key': key }, validateStatus: () => true },
});
const client = await api.init();

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: 'doc', ...definition });

// pointer escapes a part of a JSON pointer.
const pointer = (s) => s.replace(/~/g, '~0').replace(/\//g, '~1');

const steps = [];
const faults = [];

// call runs an operation of the document by its id.
async function call(id, params, body, headers) {
  const operation = api.getOperation(id);
  if (!operation) throw new Error('the document has no operation ' + id);
  const r = await client[id](params, body, { headers });
  steps.push(id + ' ' + r.status);
  const answers = definition.paths[operation.path][operation.method].responses;
  const answer = answers[String(r.status)];
  if (!answer) {
    faults.push(id + ': the document does not know the status ' + r.status + ': ' + JSON.stringify(r.data));
    return r;
  }
  const media = Object.keys(answer.content || {})[0];
  if (media === 'application/json' || media === 'application/problem+json') {
    const at = ['paths', operation.path, operation.method, 'responses', String(r.status), 'content', media, 'schema'].map(pointer).join('/');
    const valid = ajv.compile({ $ref: 'doc#/' + at });
    if (!valid(r.data)) faults.push(id + ': ' + ajv.errorsText(valid.errors) + ': ' + JSON.stringify(r.data));
  }
  return r;
}

const message = { source_msisdn: '+15551230001', destination_msisdn: '+447700900123', message_body: 'Hello', source_smsc: 'web', dest_smsc: 'app' };
await call('get-healthz');
await call('get-api-me');
await call('post-api-frontends', null, { frontend_name: 'gw1', frontend_type: 'SMPP', uptime_seconds: 60 });
await call('post-api-frontends', null, { frontend_name: 'gw1', frontend_type: 'SMPP', uptime_seconds: 90 });
await call('get-api-frontends-active');
await call('post-api-messages-preview', null, message);
const posted = await call('post-api-messages', { 'Idempotency-Key': 'tour-1' }, { ...message, client_ref: 'tour', status_report: 'final' });
const id = posted.data.data?.id;
const again = await call('post-api-messages', { 'Idempotency-Key': 'tour-1' }, { ...message, client_ref: 'tour', status_report: 'final' });
await call('post-api-messages-bulk', null, { template: message, destinations: ['+447700900124', '+447700900125'] });
await call('get-api-messages-id', { id });
const polled = await call('get-api-messages', { SMSc: 'app', lease: '60', limit: '1' });
await call('get-api-messages-get-by-smsc', { smsc: 'app' });
await call('put-api-messages-id', { id }, { cause: 'absent' });
await call('patch-api-messages-id', { id }, { status: 'queued' });
await call('patch-api-messages-id', { id }, { status: 'delivered' });
const final = await call('get-api-messages-id', { id });
await call('get-api-messages-id-trace', { id });
const receipts = await call('get-api-receipts', { smsc: 'web' });
await call('delete-api-receipts-id', { id: receipts.data[0]?.id });
await call('get-api-messages', { status: 'queued', to: '4477*' });
await call('post-api-messages-actions', null, { action: 'cancel', filter: { dest_smsc: 'app' } });
const refused = await call('post-api-messages', null, { source_msisdn: 'x' });
await call('get-api-messages-id', { id: '1' });
await call('get-api-links');
await call('get-api-routes');
await call('get-api-routes-explain', { from: 'acme', to: '+447700900123' });
await call('post-api-accounts', null, { name: 'tour' });
await call('get-api-accounts');
await call('post-api-locations', null, { msisdn: '15550001111', location: 'app' });
await call('get-api-locations');
await call('get-api-webhooks-deliveries');

console.log(JSON.stringify({
  steps, faults, same: again.data.data?.id === id, polled: polled.data[0]?.id === id, status: final.data.status,
  refused: refused.status, operations: api.getOperations().length,
}));
