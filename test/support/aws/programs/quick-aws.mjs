// The few commands of the AWS CLI that machines use, without its second of start: for tests of everything around them.
// The real one runs in test/e2e.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { AWS_ENDPOINT_URL_S3: S3 = process.env.AWS_ENDPOINT_URL } = process.env;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Words that are no options, and options; those in `valued` take the next word. */
function parse(words, valued, flags) {
  const [plain, given] = [[], {}];
  for (let at = 0; at < words.length; at += 1) {
    if (!words[at].startsWith('--')) plain.push(words[at]);
    else if (valued.includes(words[at])) given[words[at]] = words[(at += 1)];
    else if (flags.includes(words[at])) given[words[at]] = true;
    else fail(`Unknown options: ${words[at]}`);
  }
  return [plain, given];
}

const urlOf = (uri) => `${S3}/${uri.slice('s3://'.length)}`;

// Nobody checks the signature; without any, moto takes whoever asks for a stranger.
const SIGNED = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0',
};

async function ask(url, init = {}) {
  const signature = given['--no-sign-request'] ? {} : SIGNED;
  const payer = given['--request-payer'] === undefined ? {} : { 'x-amz-request-payer': given['--request-payer'] };
  const response = await fetch(url, { ...init, headers: { ...signature, ...payer, ...init.headers } });
  const doing = init.method === 'PUT' ? 'PutObject' : 'HeadObject';
  if (!response.ok)
    fail(`fatal error: An error occurred (${response.status}) when calling the ${doing} operation: ${url}`);
  return Buffer.from(await response.arrayBuffer());
}

async function listed(uri) {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? fail(`${uri}?`);
  const page = String(await ask(`${S3}/${bucket}?list-type=2&prefix=${encodeURIComponent(prefix)}`));
  return [...page.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => `s3://${bucket}/${key}`);
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile());

async function copy([from, to], recursive) {
  const put = (file, uri) => ask(urlOf(uri), { method: 'PUT', body: readFileSync(file) });
  const get = async (uri, file) => {
    const bytes = await ask(urlOf(uri));
    if (file === '-') return void process.stdout.write(bytes);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  };
  if (from.startsWith('s3://')) {
    if (!recursive) return get(from, to);
    for (const uri of await listed(from)) await get(uri, join(to, uri.slice(from.length)));
    return;
  }
  if (!recursive) return void (await put(from, to));
  for (const name of filesBelow(from)) await put(join(from, name), `${to}${name}`);
}

async function service(url, target, request) {
  // Versions 1 of the real one do not ask the machine where it is.
  if (!process.env.AWS_DEFAULT_REGION)
    fail('You must specify a region. You can also configure your region by running "aws configure".');
  const headers = { 'x-amz-target': target };
  return JSON.parse(String(await ask(url, { method: 'POST', headers, body: JSON.stringify(request) })));
}

const [part, command, ...words] = process.argv.slice(2);
const valued = [
  '--region',
  '--request-payer',
  '--sse',
  '--sse-kms-key-id',
  '--secret-id',
  '--query',
  '--output',
  '--name',
];
const [plain, given] = parse(words, valued, [
  '--only-show-errors',
  '--no-sign-request',
  '--recursive',
  '--with-decryption',
]);
if (part === 's3' && command === 'cp') await copy(plain, given['--recursive']);
else if (part === 'secretsmanager' && command === 'get-secret-value') {
  const { AWS_ENDPOINT_URL_SECRETS_MANAGER: url } = process.env;
  const found = await service(url, 'secretsmanager.GetSecretValue', { SecretId: given['--secret-id'] });
  process.stdout.write(`${found.SecretString}\n`);
} else if (part === 'ssm' && command === 'get-parameter') {
  const { AWS_ENDPOINT_URL_SSM: url } = process.env;
  const found = await service(url, 'AmazonSSM.GetParameter', { Name: given['--name'], WithDecryption: true });
  process.stdout.write(`${found.Parameter.Value}\n`);
} else fail(`Invalid choice: ${part} ${command}`);
