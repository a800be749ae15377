import { dragenMachine } from '../../../domain/genomics/dragen/index.js';
import type { MachineImage } from '../../../ports/aws-account.js';
import { failed, ok, type Check } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** The machine image that the settings name; `id` is undefined where they name none, or a parameter that is not there. */
interface NamedImage {
  readonly id?: string;
  readonly found?: MachineImage;
}

export type ImageLook = (signal: AbortSignal) => Promise<NamedImage>;

/** Looks at the machine image once, by its id or by its public parameter, however many checks ask. */
export function imageLook({ account, settings }: AwsSubject): ImageLook {
  const { ami, amiParameter } = settings.dragen ?? {};
  let looked: Promise<NamedImage> | undefined;
  const look = async (signal: AbortSignal): Promise<NamedImage> => {
    const id = ami ?? (amiParameter === undefined ? undefined : await account.parameter(amiParameter, signal));
    const found = id === undefined ? undefined : await account.machineImage(id, signal);
    return { ...(id === undefined ? {} : { id }), ...(found === undefined ? {} : { found }) };
  };
  return (signal) => (looked ??= look(signal));
}

/** The machine image: whether it is there, ready, and fits the root volume. */
export function machineImageCheck({ settings, wanted }: AwsSubject, lookAtImage: ImageLook): Check {
  const { ami, amiParameter } = settings.dragen ?? {};
  return {
    name: 'DRAGEN machine image',
    look: async (signal) => {
      const set = 'set aws.dragen.ami (or amiParameter) to the DRAGEN image of this Region (console: EC2, AMI Catalog)';
      if (ami === undefined && amiParameter === undefined) return failed('none is set', set);
      const { id, found: image } = await lookAtImage(signal);
      if (id === undefined) return failed(`there is no parameter ${amiParameter ?? ''}`, set);
      if (image === undefined) return failed(`there is no image ${id} that this account may use`, set);
      if (image.state !== 'available') return failed(`${id} is ${image.state}`, set);
      const { gb } = dragenMachine(settings, wanted.dragenProfile).rootVolume;
      if (image.rootGb !== undefined && image.rootGb > gb) {
        const found = `${id} needs a root volume of ${image.rootGb} GB, ${gb} are set`;
        return failed(found, `set aws.dragen.rootVolume.gb to at least ${image.rootGb}`);
      }
      return ok(`${id}${image.name === '' ? '' : `, ${image.name}`}`);
    },
  };
}
