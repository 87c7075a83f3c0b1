# Boots a Debian kernel in QEMU. Sourced by scripts/vm, whose variables it uses.

prepare_qemu() {
  need qemu-system-x86_64 qemu-system-x86
  share=9p
  root_options=ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose
  input_options=ro,trans=virtio,version=9p2000.L,msize=512000
  out_options=trans=virtio,version=9p2000.L,msize=512000,cache=mmap
  channels=(/dev/vport0p1 /dev/vport0p2 /dev/vport0p3 /dev/vport0p4)
}

# QEMU's options are lists with commas; a comma in a path is written twice.
comma() {
  printf %s "${1//,/,,}"
}

boot_qemu() {
  local options=(
    -nodefaults -no-user-config -display none -no-reboot
    -m "$memory" -smp 2
    -kernel "$cache/$kernel/vmlinux" -initrd "$run_dir/initrd"
    -append "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable"
    -serial "file:$(comma "$run_dir/console")"
    # The first virtio device, hence vport0. Without ioeventfd what the guest has
    # written is in the file when its write returns.
    -device virtio-serial-pci,ioeventfd=off
  )
  local number=0 channel
  for channel in wanted stdout stderr status; do
    number=$((number + 1))
    options+=(-chardev "file,id=$channel,path=$(comma "$run_dir/$channel")"
      -device "virtserialport,nr=$number,chardev=$channel")
  done
  local sharing=security_model=none,multidevs=remap
  options+=(-virtfs "local,path=/,mount_tag=root,readonly=on,$sharing")
  if [ "$input" ]; then options+=(-virtfs "local,path=$(comma "$input"),mount_tag=input,readonly=on,$sharing"); fi
  if [ "$out" ]; then options+=(-virtfs "local,path=$(comma "$out"),mount_tag=out,$sharing"); fi
  # /dev/kvm may be there and not work, so it is used only when asked for.
  if [ "${TS_IPVS_KVM-}" = 1 ]; then
    options+=(-accel kvm -cpu host)
  else
    options+=(-accel "tcg,thread=multi" -cpu max,la57=off)
  fi
  exec qemu-system-x86_64 "${options[@]}" </dev/null >>"$run_dir/console" 2>&1
}
