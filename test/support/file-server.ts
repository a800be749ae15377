import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A development server with a database file, which a test may kill and start again on the same port. */
export class FileServer {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly cli: string,
    private readonly database: string,
    private readonly port: number,
  ) {}

  static async start(cli: string, database: string): Promise<FileServer> {
    const server = new FileServer(cli, database, await freePort());
    await server.up();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async up(): Promise<void> {
    const args = ['--port', String(this.port), '--db-filename', this.database, '--log-level', 'never', '--headless'];
    this.child = spawn(this.cli, ['server', 'start-dev', ...args], { stdio: 'ignore' });
    for (let tries = 0; ; tries += 1) {
      try {
        const connection = await Connection.connect({ address: this.address, connectTimeout: 1_000 });
        await connection.close();
        return;
      } catch (error) {
        if (tries === 60) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  /** Stands still: it answers nothing, and its connections stay. */
  standStill(): void {
    this.child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
