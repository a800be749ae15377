import { failed, ok, type Check } from '../check.js';

const OLDEST = [20, 19] as const;

/** The Node that runs this, and whether the product supports it. */
export function nodeCheck(version: string = process.version): Check {
  return {
    name: 'Node',
    look: async () => {
      const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
      const supported = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
      return supported ? ok(version) : failed(version, `install Node ${OLDEST.join('.')} or later`);
    },
  };
}
