import { failed, type Check } from './check.js';
import { credentialsCheck, regionCheck } from './aws/identity.js';
import { keyCheck } from './aws/key.js';
import { licenceCheck } from './aws/licence.js';
import { imageLook, machineImageCheck } from './aws/machine-image.js';
import { fpgaQuotaCheck, launchCheck, offeringCheck } from './aws/machines.js';
import { networkCheck } from './aws/network.js';
import { readableCheck, writableCheck } from './aws/objects.js';
import { imageCheck, processingQuotaCheck, volumeKeyCheck } from './aws/processing.js';
import { roleCheck } from './aws/roles.js';
import { featureGroupCheck, workgroupCheck } from './aws/tables.js';
import type { AwsSubject } from './aws/wanted.js';

const SAGEMAKER = 'sagemaker.amazonaws.com';

function missingCheck(name: string, setting: string, fix: string): Check {
  return { name, look: async () => failed(`not configured: ${setting}`, fix) };
}

function imagingChecks(subject: AwsSubject): readonly Check[] {
  const { roleArn: role } = subject.settings.sagemaker ?? {};
  return [
    processingQuotaCheck(subject),
    imageCheck(subject),
    roleCheck(subject, { name: 'Role of the jobs', role, setting: 'aws.sagemaker.roleArn', principal: SAGEMAKER }),
    networkCheck(subject, 'sagemaker'),
    ...(subject.settings.kmsKey === undefined ? [] : [volumeKeyCheck(subject)]),
  ];
}

function genomicsChecks(subject: AwsSubject): readonly Check[] {
  const { reference, annotation, hashTable } = subject.settings.dragen ?? {};
  const lookAtImage = imageLook(subject);
  return [
    fpgaQuotaCheck(subject),
    machineImageCheck(subject, lookAtImage),
    offeringCheck(subject),
    networkCheck(subject, 'dragen'),
    launchCheck(subject, lookAtImage),
    licenceCheck(subject),
    ...(reference === undefined ? [] : [readableCheck(subject, 'aws.dragen.reference', reference)]),
    ...(annotation === undefined ? [] : [readableCheck(subject, 'aws.dragen.annotation', annotation)]),
    ...(hashTable === undefined ? [] : [writableCheck(subject, 'aws.dragen.hashTable', hashTable)]),
  ];
}

function storeChecks(subject: AwsSubject): readonly Check[] {
  const { roleArn: role, offlineStore } = subject.settings.features ?? {};
  return [
    featureGroupCheck(subject),
    roleCheck(subject, { name: 'Role of the store', role, setting: 'aws.features.roleArn', principal: SAGEMAKER }),
    offlineStore === undefined
      ? missingCheck('Offline store', 'aws.features.offlineStore', 'set it to s3://bucket/folder')
      : writableCheck(subject, 'aws.features.offlineStore', offlineStore),
  ];
}

function queryChecks(subject: AwsSubject): readonly Check[] {
  const { results } = subject.settings.athena ?? {};
  return [
    workgroupCheck(subject),
    ...(results === undefined ? [] : [writableCheck(subject, 'aws.athena.results', results)]),
  ];
}

/** What a run itself reads and writes in S3. The sheet and what it names are looked at row by row. */
function placeChecks(subject: AwsSubject): readonly Check[] {
  const { output, inputs } = subject.wanted.places ?? { inputs: [] };
  return [
    ...(output === undefined ? [] : [writableCheck(subject, '--output', output)]),
    ...inputs.map(({ option, uri }) => readableCheck(subject, option, uri)),
  ];
}

/**
 * Everything that the wanted work needs of an account. The first two come first: without credentials and a Region the rest
 * says nothing.
 */
export function awsChecks(subject: AwsSubject): { readonly first: readonly Check[]; readonly rest: readonly Check[] } {
  const { settings, wanted } = subject;
  const { imaging, genomics, featureStore = false, athena = false, places } = wanted;
  const services = imaging === 'sagemaker' || genomics === 'dragen' || featureStore || athena;
  // Nothing but S3, which may not even be AWS's: nobody else is asked who is signed in.
  if (places !== undefined && !services) return { first: placeChecks(subject), rest: [] };
  return {
    first: [credentialsCheck(subject), regionCheck(subject)],
    rest: [
      ...(settings.kmsKey === undefined ? [] : [keyCheck(subject)]),
      ...placeChecks(subject),
      ...(settings.work === undefined ? [] : [writableCheck(subject, 'aws.work', settings.work)]),
      ...(imaging === 'sagemaker' ? imagingChecks(subject) : []),
      ...(genomics === 'dragen' ? genomicsChecks(subject) : []),
      ...(featureStore ? storeChecks(subject) : []),
      ...(athena ? queryChecks(subject) : []),
    ],
  };
}
