/** What CloudFormation knows and a template does not, as tests assume it. */
const KNOWN: Readonly<Record<string, string>> = {
  'AWS::Region': 'eu-central-1',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::AccountId': '111122223333',
  'AWS::Partition': 'aws',
};

/** A part of a template as CloudFormation would make it, every reference to a resource by a name of its own. */
export function rendered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rendered);
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined]] = Object.entries(value);
  if (name === 'Fn::Join')
    return (rendered((argument as [string, unknown[]])[1]) as string[]).join((argument as [string])[0]);
  if (name === 'Ref' && typeof argument === 'string' && KNOWN[argument] !== undefined) return KNOWN[argument];
  if (['Ref', 'Fn::ImportValue', 'Fn::GetAtt', 'Fn::Select', 'Fn::Split'].includes(name)) {
    return String(Array.isArray(argument) ? argument.join('-') : argument)
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '-');
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rendered(entry)]));
}
