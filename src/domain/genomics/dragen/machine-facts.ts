/** Name of the file that lies beside DRAGEN's own tables and says what they were made on. */
export const MACHINE_NAME = 'machine.json';

/** What a sample was quantified on, and with what; what nobody could tell is absent. */
export interface MachineFacts {
  /** Command profile, and the version that DRAGEN called itself. */
  readonly profile?: string;
  readonly version?: string;
  /** File name of the reference genome, and the hash table of its content. */
  readonly reference?: string;
  readonly hashTable?: string;
  readonly instanceType?: string;
  readonly spot?: boolean;
  /** From the start of the work on the machine to its end. */
  readonly seconds?: number;
}

/** What is known of a sample's machine before the machine itself says more. */
export type Intended = Pick<MachineFacts, 'profile' | 'reference' | 'hashTable'>;

const isWord = (value: unknown): value is string => typeof value === 'string' && /^[\w.@+=:-]{1,200}$/.test(value);

/** Reads the file; undefined for anything else. What is of another kind in it is left out. */
export function parseMachineFacts(text: string): MachineFacts | undefined {
  let said: Partial<Readonly<Record<keyof MachineFacts, unknown>>> | null;
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return undefined;
  const { spot, seconds } = said;
  const words = (['profile', 'version', 'reference', 'hashTable', 'instanceType'] as const).flatMap((name) => {
    const value = said[name];
    return isWord(value) ? [[name, value] as const] : [];
  });
  return {
    ...Object.fromEntries(words),
    ...(typeof spot === 'boolean' ? { spot } : {}),
    ...(typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? { seconds } : {}),
  };
}
