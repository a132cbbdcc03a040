// Validates an OpenAPI document read from standard input with a foreign
// validator, and prints what it finds as one JSON line.
import { Validator } from '@seriousme/openapi-schema-validator';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const result = await new Validator().validate(JSON.parse(text));
console.log(JSON.stringify({ valid: result.valid, errors: (result.errors || []).slice?.(0, 20) }));
process.exit(result.valid ? 0 : 1);
