#pragma once

namespace vissl::host {

// From now on SIGTERM, SIGUSR1, SIGUSR2 and one SIGINT ask the run to save and stop; a second
// SIGINT ends the process at once with exit code 130. SIGCONT has no effect, SIGPIPE neither: a
// closed stdout is a write error. [main, before threads that should not be disturbed]
void catch_stop_signals();

// The signal that asked to save and stop, 0 = none. [any]
int pending_stop_signal();

// What a run that stopped without a save exits with: 130 for SIGINT, 143 for others.
int exit_code_without_save(int signal);

}  // namespace vissl::host
