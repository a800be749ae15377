// `npm run --silent aws-stand-in`: AWS as far as cohortflow uses it, on this machine, until Ctrl-C. Prints, on standard output, the
// environment that uses it. Nothing of it asks who calls: it listens on this machine unless told otherwise.
import { parseArgs } from 'node:util';
import { build } from './lib/build.mjs';
import { say } from './lib/console.mjs';
import { installPackages } from './lib/install.mjs';
import { obtainMoto } from './lib/moto.mjs';
import { importTypeScript } from './lib/typescript-modules.mjs';

const USAGE = `usage: node scripts/aws-stand-in.mjs [--host 127.0.0.1] [--port 4570] [--endpoint URL] [--s3 URL] [--scale N]
  --endpoint  where others reach it, when that is not where it listens
  --s3        an S3 server that serves KMS and STS too (moto); one is started when absent
  --scale     simulated seconds that pass in one second; 1`;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '4570' },
        endpoint: { type: 'string' },
        s3: { type: 'string' },
        scale: { type: 'string', default: '1' },
        built: { type: 'boolean', default: false },
      },
    });
    const [port, scale] = [Number(values.port), Number(values.scale)];
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port: found ${values.port}`);
    if (!(scale > 0)) throw new Error(`--scale: found ${values.scale}, wanted a number above 0`);
    return { ...values, port, scale };
  } catch (error) {
    say(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { host, port, endpoint, s3, scale, built } = options();
// A container has its packages and dist/ already, and no sources to compile.
if (!built && (!(await installPackages()) || !(await build()))) process.exit(1);
const moto = s3 === undefined ? await obtainMoto() : {};
if (moto.reason !== undefined) say(`no moto: ${moto.reason}`);
if (moto.path !== undefined) process.env.COHORTFLOW_TEST_MOTO = moto.path;
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
importTypeScript();
const { startAlone } = await import('../test/support/aws/alone.ts');
const account = await startAlone({ listen: { host, port }, endpoint, s3, moto: moto.path, scale }).catch((error) => {
  say(error.message);
  process.exit(1);
});

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const lines = { ...account.environment, COHORTFLOW_AWS: JSON.stringify(account.settings) };
for (const [name, value] of Object.entries(lines)) process.stdout.write(`export ${name}=${quoted(value)}\n`);
say(`AWS stand-in ready at ${account.standIn.endpoint}`);

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (ending) process.exit(1);
    ending = true;
    await account.close();
    process.exit(0);
  });
}
