import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FEATURE_TABLES } from '../settings.js';
import { arn, type Grounds } from './grounds.js';

/**
 * Feature groups of an installation are named `<name>-<table>-…`. A name alone would be the beginning of other
 * installations' groups too; no installation's name goes on with that of a table (check-settings).
 */
const groups = (grounds: Grounds): string[] =>
  FEATURE_TABLES.map((table) => arn(grounds, 'sagemaker', `feature-group/${grounds.settings.name}-${table}-*`));

/** The database of Feature Store in the Glue catalogue. */
const tables = (grounds: Grounds): string[] =>
  ['catalog', 'database/sagemaker_featurestore', 'table/sagemaker_featurestore/*'].map((resource) =>
    arn(grounds, 'glue', resource),
  );

/** Makes feature groups and writes to them. */
export function writeFeatures(grounds: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'MakeGroups',
      actions: ['sagemaker:CreateFeatureGroup', 'sagemaker:AddTags'],
      resources: groups(grounds),
    }),
    // The table of a group is made in the name of whoever makes the group.
    new PolicyStatement({
      sid: 'MakeTables',
      actions: ['glue:CreateDatabase', 'glue:CreateTable', 'glue:GetDatabase', 'glue:GetTable'],
      resources: tables(grounds),
    }),
    new PolicyStatement({
      sid: 'WriteRecords',
      actions: ['sagemaker:DescribeFeatureGroup', 'sagemaker:BatchWriteRecord', 'sagemaker:PutRecord'],
      resources: groups(grounds),
    }),
    new PolicyStatement({
      sid: 'PassFeaturesRole',
      actions: ['iam:PassRole'],
      resources: [grounds.featuresRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
    }),
  ];
}

/** Deletes the records of a case. */
export function forgetFeatures(grounds: Grounds): PolicyStatement {
  return new PolicyStatement({
    sid: 'ForgetRecords',
    actions: ['sagemaker:DescribeFeatureGroup', 'sagemaker:DeleteRecord'],
    resources: groups(grounds),
  });
}

/** Lists and removes groups, as `clean --features` does. */
export function cleanFeatures(grounds: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RemoveGroups',
      actions: ['sagemaker:DescribeFeatureGroup', 'sagemaker:DeleteFeatureGroup'],
      resources: groups(grounds),
    }),
    new PolicyStatement({ sid: 'FindGroups', actions: ['sagemaker:ListFeatureGroups'], resources: ['*'] }),
  ];
}

/** Asks the tables of the groups by Athena. */
export function queryFeatures(grounds: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'Query',
      actions: [
        ...['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults'],
        ...['athena:StopQueryExecution', 'athena:GetWorkGroup'],
      ],
      resources: [arn(grounds, 'athena', 'workgroup/primary')],
    }),
    new PolicyStatement({
      sid: 'Tables',
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'],
      resources: tables(grounds),
    }),
    new PolicyStatement({
      sid: 'ResultsPlace',
      actions: ['s3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
      resources: [grounds.results.bucketArn],
    }),
    new PolicyStatement({
      sid: 'ResultsParts',
      actions: ['s3:ListMultipartUploadParts'],
      resources: [`${grounds.results.bucketArn}/athena/*`],
    }),
  ];
}
