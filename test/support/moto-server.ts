import { programAt, ServerProgram } from './server-program.js';

/** The program of moto (AWS in memory), or undefined; the skip is then printed with its reason. */
export function motoProgram(): string | undefined {
  return programAt('COHORTFLOW_TEST_MOTO', 'moto_server', 'pip install "moto[server]"');
}

async function isMoto(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/moto-api/`);
  return answer.ok && /moto/i.test(await answer.text());
}

/** AWS in memory, for as long as a test needs it. */
export class MotoServer {
  private constructor(private readonly server: ServerProgram) {}

  /** Starts it and points the SDK's environment to it. */
  static async start(program: string): Promise<MotoServer> {
    const args = (port: number): string[] => ['-H', '127.0.0.1', '-p', String(port)];
    const server = await ServerProgram.start({ name: 'moto', program, args, isIts: isMoto });
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    return new MotoServer(server);
  }

  get endpoint(): string {
    return this.server.endpoint;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
