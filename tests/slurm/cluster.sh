# A real SLURM of two nodes on this machine, for tests that source this file:
#   cluster_test NODE_CPUS           begins such a test
#   cluster_start FOLDER NODE_CPUS   daemons with their own key, ports, state and logs in FOLDER; exports SLURM_CONF
#   cluster_restart JOB              lets a requeued job start in three seconds
#   cluster_stop                     cancels all jobs, then ends every daemon
# Needs root and Debian's slurm-wlm and munge; touches nothing outside FOLDER, and runs beside a SLURM of the machine.

cluster_pids=()

# The test is skipped where no cluster can be started. Else it goes on in the new folder $work, which holds small.toml with
# the hook wait_at and its folder wait. With the test end its cluster and $work; a failed one shows the logs first.
cluster_test() { # NODE_CPUS
  local missing
  missing=$(cluster_missing)
  if [[ -n $missing ]]; then
    echo "skipped: $missing"
    exit 77
  fi
  work=$(mktemp -d)
  chmod 755 "$work"  # munged wants its socket within everybody's reach
  trap cluster_test_ends EXIT
  cluster_start "$work/slurm" "$1"
  cd "$work"
  mkdir wait
  {
    cat "$VISSL_SOURCE_DIR/tests/slurm/small.toml"
    printf '[[hooks]]\nname = "wait_at"\nfolder = "%s"\n' "$work/wait"
  } >small.toml
}

cluster_test_ends() {
  local status=$?
  if ((status)); then tail -n 30 "$work"/*.out "$work"/runs/*/tasks.log "$work"/slurm/log/* 2>/dev/null || true; fi
  cluster_stop
  rm -rf "$work"
}

fail() {
  echo "$*"
  exit 1
}

# Says why no cluster can be started here; prints nothing when one can.
cluster_missing() {
  local tool
  for tool in munged slurmctld slurmd sbatch srun scontrol squeue sinfo scancel; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/setup --tests installs slurm-wlm and munge"; return; }
  done
  [[ $(id -u) == 0 ]] || echo "slurmd needs root"
}

cluster_ports() { # COUNT free ports below the range of outgoing connections
  python3 - "$1" <<'PYTHON'
import random
import socket
import sys
chosen = []
while len(chosen) < int(sys.argv[1]):
    port = random.randrange(17000, 30000)
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            continue
    if port not in chosen:
        chosen.append(port)
print(*chosen)
PYTHON
}

cluster_start() { # FOLDER NODE_CPUS
  local dir=$1 cpus=$2 host node ports
  host=$(hostname -s)
  mkdir -p "$dir"/{state,log,spool/n1,spool/n2}
  read -ra ports <<<"$(cluster_ports 4)"
  dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none
  chmod 400 "$dir/munge.key"
  cat >"$dir/slurm.conf" <<CONF
ClusterName=vissl_test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
# Ranks meet at a port that the number of their job gives (host/cli/ranks.cpp): a free one for the first job.
FirstJobId=$((ports[3] - 15000))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmdSpoolDir=$dir/spool/%n
SlurmdLogFile=$dir/log/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobRequeue=1
KillWait=10
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=$cpus State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=$cpus State=UNKNOWN
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
  # slurmd reads where cgroups live even when no plugin uses them.
  local version=v2
  [[ -e /sys/fs/cgroup/cgroup.controllers ]] || version=v1
  printf 'CgroupPlugin=cgroup/%s\n' "$version" >"$dir/cgroup.conf"
  export SLURM_CONF=$dir/slurm.conf

  cluster_daemon "$dir/log/munged.out" munged --foreground --force --socket="$dir/munge.socket" \
    --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" --log-file="$dir/log/munged.log" --seed-file="$dir/munge.seed"
  cluster_wait 10 test -S "$dir/munge.socket" || return 1
  cluster_daemon "$dir/log/slurmctld.out" slurmctld -D -f "$SLURM_CONF"
  for node in n1 n2; do cluster_daemon "$dir/log/slurmd.$node.out" slurmd -D -N "$node" -f "$SLURM_CONF"; done
  cluster_wait 60 cluster_is_idle || { tail -n 20 "$dir"/log/*; return 1; }
}

cluster_daemon() { # LOG COMMAND...
  local log=$1
  shift
  "$@" </dev/null >"$log" 2>&1 &
  cluster_pids+=($!)
}

cluster_is_idle() { [[ $(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l) == 2 ]]; }

# Runs COMMAND ten times a second until it succeeds; fails after SECONDS.
cluster_wait() { # SECONDS COMMAND...
  local tries=$(($1 * 10))
  shift
  while ((tries-- > 0)); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}

# SLURM holds a requeued job for two minutes. A node refuses to start one in the second in which it ended it.
cluster_restart() { # JOB
  scontrol update jobid="$1" StartTime=now+3seconds
}

cluster_stop() {
  ((${#cluster_pids[@]})) || return 0
  # slurmstepd and the jobs outlive slurmd, so the jobs end first.
  scancel --full --user="$(id -un)" 2>/dev/null || true
  scancel --signal=KILL --full --user="$(id -un)" 2>/dev/null || true
  cluster_wait 15 cluster_is_idle || true
  local index
  for ((index = ${#cluster_pids[@]} - 1; index >= 0; --index)); do
    kill "${cluster_pids[index]}" 2>/dev/null || true
    wait "${cluster_pids[index]}" 2>/dev/null || true
  done
  cluster_pids=()
}
