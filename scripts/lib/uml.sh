# Boots user-mode-linux, a kernel that is a process. Sourced by scripts/vm, whose
# variables it uses.

prepare_uml() {
  share=hostfs
  root_options=ro,/
  input_options=ro,$input
  out_options=$out
  channels=(/dev/tty1 /dev/tty2 /dev/tty3 /dev/tty4)
  # The guest's memory is a file, on a tmpfs if one is large enough.
  for memory_dir in /dev/shm "$run_dir"; do
    if [ -w "$memory_dir" ] && [ "$(free_mebibytes "$memory_dir")" -ge "$memory" ]; then return; fi
  done
  die "user-mode-linux needs $memory MiB in /dev/shm or ${TMPDIR:-/tmp} and neither has them free: make room, set TMPDIR, or give it less with --memory"
}

boot_uml() {
  ulimit -c 0
  TMPDIR=$memory_dir exec "$cache/$kernel/vmlinux" "mem=${memory}M" "initrd=$run_dir/initrd" \
    "uml_dir=$run_dir/uml" noreboot quiet con=null con0=null,fd:3 \
    con1=null,fd:4 con2=null,fd:5 con3=null,fd:6 con4=null,fd:7 \
    </dev/null >>"$run_dir/console" 2>&1 3>>"$run_dir/console" \
    4>>"$run_dir/wanted" 5>>"$run_dir/stdout" 6>>"$run_dir/stderr" 7>>"$run_dir/status"
}
