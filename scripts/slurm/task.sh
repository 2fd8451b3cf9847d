# What array.sh and nodes.sh share: one run of vissl-host inside a job, and what becomes of the job when it ends.
#
#   exit 0     done; the job ends with 0
#   exit 75    the state is saved: the job puts itself back into the queue, and the same command resumes the run
#   others     passed through
#
# One line per end goes to the job's output and to tasks.log beside the run folders. Variables:
#   VISSL_HOST           the executable; build/vissl-host of the folder of submission, or the one on PATH
#   VISSL_RUNS           where run folders go (runs): $VISSL_RUNS/<config>-<job>[/<task>], unless checkpoint.dir is given
#   VISSL_MAX_REQUEUES   restarts after which a task is left to people (100)

find_host() {
  if [[ -n ${VISSL_HOST:-} ]]; then
    echo "$VISSL_HOST"
  elif [[ -x $SLURM_SUBMIT_DIR/build/vissl-host ]]; then
    echo "$SLURM_SUBMIT_DIR/build/vissl-host"
  elif ! command -v vissl-host; then
    echo "task.sh: no vissl-host: submit from the checkout, or set VISSL_HOST" >&2
    return 1
  fi
}

has_key() { # KEY ARGUMENTS...
  local key=$1 argument
  shift
  for argument in "$@"; do [[ $argument != "$key="* ]] || return 0; done
  return 1
}

# What SLURM does with a job, or with the task ARRAYJOB_TASK: RUNNING while it has no other plan.
job_state() { scontrol show job -o "$1" 2>/dev/null | sed -nE 's/.* JobState=([A-Z_]+).*/\1/p'; }

# Puts the job back into the queue, unless SLURM does so itself; `outcome` says what became of it.
requeue() { # JOB or ARRAYJOB_TASK: an array's plain id would requeue all its tasks
  local restarts=${SLURM_RESTART_COUNT:-0} state
  state=$(job_state "$1" || true)
  if [[ -z $state ]]; then
    outcome="saved its state, but scontrol does not work here; submit it again"
  elif [[ $state != RUNNING ]]; then
    outcome="saved its state; SLURM ends or requeues the job itself ($state)"
  elif ((restarts >= ${VISSL_MAX_REQUEUES:-100})); then
    outcome="saved its state, but was requeued $restarts times already; submit it again, or raise VISSL_MAX_REQUEUES"
  elif scontrol requeue "$1" >&2; then
    outcome="saved its state and was requeued" requeued=yes
  else
    outcome="saved its state, but scontrol could not requeue it; submit it again"
  fi
}

# Where rank 0 runs, when SLURM's name for that node is one that only SLURM knows.
first_address() {
  local first
  first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
  if ! getent ahosts "$first" >/dev/null; then scontrol show node -o "$first" | sed -nE 's/.* NodeAddr=([^ ]+).*/\1/p'; fi
}

run_task() { # CONFIG JOB TASK OVERRIDES...
  local config=$1 job=$2 task=$3 host name parent child status signalled outcome folder requeued=no
  shift 3
  local id=$job${task:+_$task}
  host=$(find_host) || exit 2
  name=$(basename "$config" .toml)
  parent=${VISSL_RUNS:-runs}/$name-$job
  mkdir -p "$parent"
  local command=("$host" --config "$config")
  folder="the run folder"
  if ! has_key checkpoint.dir "$@"; then
    folder=$parent${task:+/$task}
    command+=("checkpoint.dir=$folder")
  fi
  # The same number of threads in every restart: a resume on another one would not be bit-equal.
  has_key machine.threads "$@" || [[ -z ${SLURM_CPUS_PER_TASK:-} ]] || command+=("machine.threads=$SLURM_CPUS_PER_TASK")
  command+=("$@")
  if ((${SLURM_NTASKS:-1} > 1)); then
    if [[ -z ${MASTER_ADDR:-} ]]; then
      MASTER_ADDR=$(first_address || true)
      [[ -z $MASTER_ADDR ]] || export MASTER_ADDR
    fi
    # A rank that ends early must not kill the others, which may still be saving; the ranks watch each other.
    command=(srun --kill-on-bad-exit=0 ${SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"} "${command[@]}")
  fi

  printf 'task %s, restart %s: %s\n' "$id" "${SLURM_RESTART_COUNT:-0}" "${command[*]}"
  "${command[@]}" &
  child=$!
  # The warning before the time limit reaches this shell alone. SIGTERM reaches every process of the job; the shell
  # must outlive it to say what happened. A signal ends wait early, so that it must wait again.
  pass_on() { # SIGNAL
    signalled=yes
    kill -s "$1" "$child" 2>/dev/null || return 0
    printf 'task %s: SIG%s, the run saves its state\n' "$id" "$1"
  }
  trap 'pass_on USR1' USR1 USR2
  trap 'pass_on TERM' TERM
  while true; do
    signalled=no status=0
    wait "$child" || status=$?
    [[ $signalled == yes ]] || break
  done

  case $status in
    0) outcome="done" ;;
    75)
      # SLURM ends a job that it requeues by SIGTERM; this shell and scontrol still have something to say.
      trap '' TERM USR1 USR2
      requeue "$id"
      ;;
    *) outcome="failed with exit code $status, see log.txt in $folder" ;;
  esac
  printf '%s task %s, restart %s: %s\n' "$(date -Is)" "$id" "${SLURM_RESTART_COUNT:-0}" "$outcome" | tee -a "$parent/tasks.log"
  # SLURM ends a job that it requeues; one that ends by itself meanwhile may count as failed instead.
  if [[ $requeued == yes ]]; then
    trap - TERM
    sleep 120 || true
  fi
  exit "$status"
}
