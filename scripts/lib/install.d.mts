interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
}

export function checkNode(version?: string): boolean;
export function outOfDate(lock: Lock, installed: Lock | undefined): string[];
export function installPackages(): Promise<boolean>;
