{
  'variables': { 'sanitize%': '' },
  'targets': [
    {
      'target_name': 'ts_ipvs',
      'sources': [
        'native/addon.cc',
        'native/compat.cc',
        'native/environment.cc',
        'native/handle.cc',
        'native/monitor.cc',
        'native/socket.cc',
        'native/transaction.cc',
      ],
      # What except.gypi of node-addon-api says, for Linux: exceptions end a call that fails, and no half of it goes on.
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc!': ['-fno-exceptions'],
      # Else open becomes open64, which musl has not.
      'defines!': ['_FILE_OFFSET_BITS=64', '_LARGEFILE_SOURCE'],
      'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-Wpedantic', '-fvisibility=hidden', '-U_FORTIFY_SOURCE'],
      'conditions': [
        ['sanitize!=""', {
          'cflags': ['-g', '-O1', '-fno-omit-frame-pointer', '-fsanitize=<(sanitize)'],
          'ldflags': ['-fsanitize=<(sanitize)', '-Wl,-z,nodelete'],
        }, {
          # No libc among the needed libraries: its symbols come unversioned from the process, be it linked with glibc or with musl.
          'ldflags': ['-nodefaultlibs', '-Wl,-z,nodelete,-z,relro,-z,now'],
          'libraries': ['-lstdc++', '-lgcc_s'],
        }],
        # Else atomics call libgcc, which asks the C library for the processor's abilities.
        ['target_arch=="arm64"', { 'cflags': ['-mno-outline-atomics'] }],
      ],
    },
  ],
}
