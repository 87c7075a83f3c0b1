# Boots a Debian kernel in QEMU. Needs run_dir, cache, kernel, memory, out, has_stdin.

# QEMU's options are lists with commas; a comma in a path is written twice.
comma() {
  printf %s "${1//,/,,}"
}

prepare_qemu() {
  need qemu-system-x86_64 qemu-system-x86
  share=9p
  root_options=ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose
  out_options=trans=virtio,version=9p2000.L,msize=512000,cache=mmap
  channels=(/dev/vport0p1 /dev/vport0p2 /dev/vport0p3 /dev/vport0p4)
}

# The channels out of the guest are files here: what the guest has written is in
# the file, so that nothing is lost when it turns itself off.
boot_qemu() {
  local options=(
    -nodefaults -no-user-config -display none -no-reboot
    -m "$memory" -smp 2
    -kernel "$cache/$kernel/vmlinux" -initrd "$run_dir/initrd"
    -append "console=ttyS0 quiet panic=-1 mitigations=off"
    -serial "file:$(comma "$run_dir/console")"
    -device virtio-serial-pci,ioeventfd=off # the first virtio device, hence vport0
    -virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
    -chardev stdio,id=stdin,signal=off -device virtserialport,nr=1,chardev=stdin
  )
  local number=1 name
  for name in stdout stderr status; do
    number=$((number + 1))
    options+=(-chardev "file,id=$name,path=$(comma "$run_dir/$name")"
      -device "virtserialport,nr=$number,chardev=$name")
  done
  if [ "$out" ]; then
    options+=(-virtfs "local,path=$(comma "$out"),mount_tag=out,security_model=none,multidevs=remap")
  fi
  # /dev/kvm may be there and not work, so it is used only when asked for.
  if [ "${TS_IPVS_KVM-}" = 1 ]; then
    options+=(-accel kvm -cpu host)
  else
    options+=(-accel "tcg,thread=multi" -cpu max)
  fi
  exec qemu-system-x86_64 "${options[@]}" <"$run_dir/stdin" >>"$run_dir/console" 2>&1
}
