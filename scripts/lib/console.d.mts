export function say(line: string): void;
export function seconds(began: number): string;
export function onPath(program: string, env?: Readonly<Record<string, string | undefined>>): string | undefined;
export function quietly(title: string, program: string, args: readonly string[], options?: object): Promise<boolean>;
export function inForeground(program: string, args: readonly string[], options?: object): Promise<number>;
