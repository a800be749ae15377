// Loaded into every Node process below a worker by NODE_OPTIONS: makes the processes of steps wait before they begin.
if (process.argv[1]?.endsWith('step-host.js')) {
  const { on } = process;
  process.on = function slowOn(event, listener) {
    if (event !== 'message') return on.call(this, event, listener);
    return on.call(this, event, (message) => setTimeout(listener, Number(process.env.TEST_STEP_WAITS_MS), message));
  };
}
