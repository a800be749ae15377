import { existsSync, readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { SettingsError, settingsOf } from './check-settings.js';
import { cohortflowApp, FEATURE_FLAGS } from './cohortflow-app.js';
import type { Settings } from './settings.js';

/** The settings of `-c settings=<file>`, or of settings.json where the command was given. */
function settingsFile(app: App): Settings {
  const path = String(app.node.tryGetContext('settings') ?? 'settings.json');
  if (!existsSync(path)) {
    throw new SettingsError(`there is no ${path}: copy settings.example.json, or name another with -c settings=<file>`);
  }
  const text = readFileSync(path, 'utf8');
  try {
    return settingsOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SettingsError) throw new SettingsError(`${path}: ${error.message}`);
    throw new SettingsError(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

try {
  const app = new App({ analyticsReporting: false, context: { ...FEATURE_FLAGS } });
  cohortflowApp(app, settingsFile(app));
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
