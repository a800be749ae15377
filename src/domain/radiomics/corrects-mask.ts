/**
 * True when a pyradiomics parameter document asks for masks on other grids to be brought to that of their image: the one
 * setting that concerns the conversion. It stands alone because workflows read it too.
 */
export function correctsMask(document: Readonly<Record<string, unknown>> | undefined): boolean {
  const setting = document?.['setting'];
  return (
    typeof setting === 'object' && setting !== null && (setting as Record<string, unknown>)['correctMask'] === true
  );
}
