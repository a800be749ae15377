import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** Days as CloudWatch Logs has them; the settings allow no others, and the enumeration's values are the days themselves. */
export function retention(days: number): RetentionDays {
  if (RetentionDays[days] === undefined) throw new Error(`CloudWatch Logs keeps nothing for ${days} days`);
  return days;
}
