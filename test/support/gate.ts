/** A gate that work waits at until it is let through. */
export class Gate {
  waiting: (() => void)[] = [];
  open = false;

  enter(): Promise<void> {
    return this.open ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  letThrough(count: number): void {
    for (const go of this.waiting.splice(0, count)) go();
  }

  openForAll(): void {
    this.open = true;
    this.letThrough(Infinity);
  }
}

/** Runs a test's body; when it fails the gate is opened, so that what waits there does not hold up the workers' end. */
export async function through(gate: Gate, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } finally {
    gate.openForAll();
  }
}

/** Waits until something has come true; fails after `seconds`. */
export async function until(what: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  for (let n = 0; n < seconds * 20; n += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it did not come to that within ${seconds} seconds`);
}
