import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process as the system shows it (Linux). */
export interface OwnProcess {
  readonly pid: number;
  readonly command: string;
}

/** All processes that were started with a variable of this value, whoever is their parent by now. */
export function processesWith(name: string, value: string): OwnProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!variables.includes(`${name}=${value}`)) return [];
        return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
      } catch {
        return [];
      }
    });
}

/** What is left of the processes `which` names after waiting for them to end; their commands. */
export async function leftOf(which: () => readonly OwnProcess[], seconds: number): Promise<string[]> {
  for (let tries = 0; tries < seconds * 4 && which().length > 0; tries += 1) await sleep(250);
  return which().map(({ command }) => command);
}
