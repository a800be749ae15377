import { Annotations, Tags, type App, type StackProps } from 'aws-cdk-lib';
import { DataStack } from './data-stack.js';
import { NetworkStack } from './network-stack.js';
import type { Settings } from './settings.js';
import { WorkStack } from './work-stack.js';

/** Behaviour of the CDK that newer apps have; part of what the templates are, so that it does not depend on cdk.json. */
export const FEATURE_FLAGS: Readonly<Record<string, unknown>> = {
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker': true,
  '@aws-cdk/aws-iam:standardizedServicePrincipals': true,
  '@aws-cdk/aws-kms:aliasNameRef': true,
};

/** The stacks of an installation. */
export interface Installation {
  readonly data: DataStack;
  readonly network: NetworkStack;
  /** Absent while the settings name no images or no Temporal server. */
  readonly work?: WorkStack;
}

/** What is still to be set before workers can run. */
export function missingForWork({ images, temporal }: Settings): readonly string[] {
  return [
    ...(temporal === undefined ? ['temporal.address'] : []),
    ...(images.worker === undefined ? ['images.worker'] : []),
    ...(images.processing === undefined ? ['images.processing'] : []),
  ];
}

/**
 * Puts the stacks of an installation into an app: `<name>-data` first, whose repository the images go to; `<name>-network`;
 * and `<name>-work` once the images are there.
 */
export function cohortflowApp(app: App, settings: Settings, props: StackProps = {}): Installation {
  const { name, images, temporal, dragen, network: net, watch } = settings;
  Tags.of(app).add('cohortflow:installation', name);
  const data = new DataStack(app, `${name}-data`, settings, props);
  const network = new NetworkStack(app, `${name}-network`, settings, data.logs.network, props);
  const notes = Annotations.of(network);
  if (dragen !== undefined && net.wayOut === 'endpoints') {
    notes.addInfo('DRAGEN asks its licence server on the internet: without a way out (network.wayOut nat) it cannot');
  }
  if (net.wayOut === 'endpoints') {
    notes.addInfo('workers cannot ask for quotas without a way out: keep --concurrency within what doctor says');
  }
  if (watch.emails.length === 0) notes.addInfo('watch.emails is empty: no budget, and nobody hears of alarms');
  if (temporal === undefined || images.worker === undefined || images.processing === undefined) {
    notes.addInfo(`${name}-work is left out: set ${missingForWork(settings).join(', ')}`);
    return { data, network };
  }
  const { worker, processing } = images;
  const work = new WorkStack(
    app,
    `${name}-work`,
    { settings, temporal, images: { worker, processing }, data, network },
    props,
  );
  return { data, network, work };
}
