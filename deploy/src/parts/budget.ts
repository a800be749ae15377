import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.js';

/** Percent of the budget, spent or forecast, at which mail is sent. */
const SPENT = [50, 80, 100];
const FORECAST = [100];

/** What the account may cost a month; a mail tells, nothing is stopped. None without somebody to tell. */
export function budget(scope: Construct, { name, watch }: Settings): CfnBudget | undefined {
  if (watch.emails.length === 0) return undefined;
  const subscribers = watch.emails.map((address) => ({ subscriptionType: 'EMAIL', address }));
  const notice = (notificationType: string) => (threshold: number) => ({
    notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
    subscribers,
  });
  return new CfnBudget(scope, 'Budget', {
    budget: {
      budgetName: `${name}-monthly`,
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: watch.budgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: [...SPENT.map(notice('ACTUAL')), ...FORECAST.map(notice('FORECASTED'))],
  });
}
