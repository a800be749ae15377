type Environment = Readonly<Record<string, string | undefined>>;

/** True when the environment says where traces go, by the standard variables. */
export function wantsTracing(environment: Environment = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = environment;
  return environment['OTEL_SDK_DISABLED'] !== 'true' && ((all ?? '') !== '' || (traces ?? '') !== '');
}
