import { ServiceError } from './service-error.js';
import type { FormValue } from './xml.js';

type Form = Readonly<Record<string, FormValue>>;

const VOLUMES = ['standard', 'gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1'];
const MOST_USER_DATA = 16_384;
/** Tags that permissions to launch hang on: of workers, and of the trial. */
const LAUNCH_TAGS = ['cohortflow:namespace', 'cohortflow:work'];

const refuse = (message: string): ServiceError => new ServiceError('InvalidParameterValue', message);
const text = (value: FormValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: FormValue | undefined): readonly FormValue[] =>
  Array.isArray(value) ? (value as readonly FormValue[]) : [];
const map = (value: FormValue | undefined): Form =>
  typeof value === 'object' && !Array.isArray(value) ? (value as Form) : {};

/** The tags that a request gives to what it starts, of one kind. */
export function tagsOf(form: Form, kind: string): Readonly<Record<string, string>> {
  const specification = list(form['TagSpecification'])
    .map(map)
    .find((one) => one['ResourceType'] === kind);
  const tags = list(specification?.['Tag']).map(map);
  return Object.fromEntries(tags.map((tag) => [text(tag['Key']) ?? '', text(tag['Value']) ?? '']));
}

function checkTags(form: Form): void {
  for (const specification of list(form['TagSpecification']).map(map)) {
    const tags = list(specification['Tag']).map(map);
    const keys = tags.map((tag) => text(tag['Key']) ?? '');
    if (tags.length > 50) throw new ServiceError('TagLimitExceeded', 'The maximum number of tags is 50');
    if (new Set(keys).size < keys.length) throw refuse('Duplicate tag key specified.');
    for (const tag of tags) {
      const [key = '', value = ''] = [text(tag['Key']), text(tag['Value'])];
      if (key === '' || key.length > 128) throw refuse('Tag key exceeds the maximum length of 128 characters');
      if (key.toLowerCase().startsWith('aws:')) throw refuse("Tag keys starting with 'aws:' are reserved");
      if (value.length > 256) throw refuse('Tag value exceeds the maximum length of 256 characters');
    }
  }
}

/** What EC2 refuses in a request itself, before it looks at the account. */
export function validateLaunch(form: Form): void {
  for (const name of ['ImageId', 'MinCount', 'MaxCount']) {
    if (form[name] === undefined) {
      throw new ServiceError('MissingParameter', `The request must contain the parameter ${name}`);
    }
  }
  if (form['MinCount'] !== '1' || form['MaxCount'] !== '1') throw refuse('this stand-in starts one machine at a time');
  const token = text(form['ClientToken']) ?? '';
  if (token.length > 64 || /[^\x20-\x7e]/.test(token)) throw refuse('Invalid client token (64 ASCII characters)');
  const behaviour = text(form['InstanceInitiatedShutdownBehavior']) ?? 'stop';
  if (!['stop', 'terminate'].includes(behaviour)) {
    throw refuse(`Value (${behaviour}) for parameter instanceInitiatedShutdownBehavior is invalid.`);
  }
  if (Buffer.from(text(form['UserData']) ?? '', 'base64').length > MOST_USER_DATA) {
    throw refuse(`User data is limited to ${MOST_USER_DATA} bytes`);
  }
  for (const mapping of list(form['BlockDeviceMapping']).map(map)) {
    const type = text(map(mapping['Ebs'])['VolumeType']);
    if (type !== undefined && !VOLUMES.includes(type)) throw refuse(`Invalid volume type: ${type}`);
  }
  checkTags(form);
}

/** What the permissions of the deployment allow: a machine that is ours, and gives its role to nobody without a session. */
export function authorizeLaunch(form: Form): void {
  const tags = tagsOf(form, 'instance');
  const allowed = LAUNCH_TAGS.some((tag) => tag in tags) && map(form['MetadataOptions'])['HttpTokens'] === 'required';
  if (!allowed) {
    const message =
      'You are not authorized to perform this operation: no identity-based policy allows ec2:RunInstances';
    throw new ServiceError('UnauthorizedOperation', message, 403);
  }
}
