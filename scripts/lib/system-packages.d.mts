/** Programs that are still missing after the machine and its user allowed what they allow. */
export function ensurePrograms(names: readonly string[]): Promise<string[]>;
