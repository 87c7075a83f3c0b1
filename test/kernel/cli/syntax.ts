/** Every way to write options, and every value that they take or refuse. */
import type { Case } from '../support/case.js'
import { type Line, line, sameAsIpvsadm } from './differential.js'

/** Command lines without the program's name, separated by semicolons and line feeds. */
const lines = (text: string): Line[] =>
  text
    .split(/[;\n]/)
    .map(one => one.trim())
    .filter(one => one !== '')
    .map(one => line(one))

const BUNDLES = `
  -Ln; -nL; -Lq; -L -q; -L --foo; -L --foo=bar; -L=n; -L-n; -L -; -L --; -L -- -n; -; foo; foo -Ln; -Ln=5; -L -n=5; -L -n=
  -L=; -LC; -L --clear; -LnC; -LX=; -L ''; '' -L; -L --=; -L ---; -L --=foo; -Lh; -L --help; -Ln6; -L -nq; -L --numeric=1
  -L --numer; -L --tcp-service; -L --tcp-service=; -Lt; -L -nt; -Lnt=1.2.3.4:80; -L --set; -Lx; -L -Z; -Z -L; -l; -ln
  --list -n; -L --sort --sort --nosort; -6; -r; -R -R; -D -t 1.2.3.4:94 -C; -C -D; -L -n -n; -At=1.2.3.4:80
  -A --tcp-service=1.2.3.4:81; -At1.2.3.4:82; -A -t=1.2.3.4:83; -A -t 1.2.3.4:84 -sfoo=bar; -A -t 1.2.3.4:84 -s=rr
  -A -t 1.2.3.4:85 -s==rr; -A -t; -A --tcp-service; -Z -v; -Z --version
`

const PERSISTENCE = `
  -A -t 1.2.3.4:106 -p -M '';   -A -t 1.2.3.4:80 -p -s rr; -A -t 1.2.3.4:81 -p; -A -t 1.2.3.4:82 -p foo; -A -t 1.2.3.4:83 -pn
  -A -t 1.2.3.4:84 --persistent=300; -A -t 1.2.3.4:85 -p=; -A -t 1.2.3.4:86 --persistent=; -A -t 1.2.3.4:87 -p ''
  -A -t 1.2.3.4:88 -p -; -A -t 1.2.3.4:89 -p -- 6; -A -t 1.2.3.4:90 -p 0; -A -t 1.2.3.4:91 -p 1; -A -t 1.2.3.4:92 -p 2678400
  -A -t 1.2.3.4:93 -p 2678401; -A -t 1.2.3.4:94 -p 5 -p 6; -A -t 1.2.3.4:95 -p 5 -M 255.255.255.0
  -A -t 1.2.3.4:96 -M 255.255.255.0; -A -t 1.2.3.4:97 -p -M 24; -A -t 1.2.3.4:98 -p -M foo; -A -t 1.2.3.4:99 -p -M 0.0.0.0
  -A -M 255.0.0.0 -p 7 -t 1.2.3.4:100; -A -t [::2]:80 -p -M 64abc; -A -t [::3]:80 -p -M 0; -A -t [::4]:80 -p -M 129
  -A -t [::5]:80 -p -M 128; -A -M 255.0.0.0 -p -t [::6]:80; -A -f 5 -p -M 255.255.0.0; -A -f 6 -6 -p -M 48
  -A -f 7 -p -M 255.255.0.0 -6; -A -t 1.2.3.4:101 -p --pe sip; -A -t 1.2.3.4:102 --pe sip; -A -t 1.2.3.4:103 --pe nosuch
  -A -u 1.2.3.4:104 --pe sip -p 9; -E -t 1.2.3.4:101; -E -t 1.2.3.4:102 -p 3; -A -t 1.2.3.4 -p; -A -t 1.2.3.4; -E -t 1.2.3.4
  -A -t 1.2.3.4:105 --pe averyveryverylongname
`

const ADDRESSES = `
  -A -t :80; -A -t []:80; -A -t [:80; -A -t :; -A --start-daemon master; -A -t 1.2.3.4:7 --stop-daemon backup; -A -t 1.2.3.4:7 --stop-daemon=backup
  -A -t ''; -A -t 80; -A -t 1.2.3:90; -A -t 0x01020304:91; -A -t 01.02.03.010:91; -A -t 16909060:91; -A -t 1.2.772:92
  -A -t 1.2.3.256:92; -A -t 1.2.3.4.5:92; -A -t [::1]:80; -A -t [::1]; -A -t [::1; -A -t ::1; -A -t ::1:80; -A -t ::1 -p
  -A -t 1:2:3:4:5:6:7:8:80; -A -t :::80; -A -t fe80::1%lo:80
  -A -t [1.2.3.4]:92; -A -t [1.2.3.4:93]:92; -A -t [nohost]:92; -A -t 1.2.3.4:http; -A -t 1.2.3.4:www; -A -t 1.2.3.4:nosuch
  -A -t 1.2.3.4:; -A -t localhost:93; -A -t nohost.invalid:93; -A -t 1.2.3.4:70000; -A -t 1.2.3.4:65535; -A -t 1.2.3.4:65536
  -A -t 1.2.3.4:-1; -A -t 1.2.3.4:+5; -A -t 1.2.3.4:0x50; -A -t 1.2.3.4:0080; -A -t ::ffff:1.2.3.4 -p
  -A -t [::ffff:1.2.3.4]:5; -A -t [fe80::1%lo]:80; -A -u 1.2.3.4:domain; -A -u 1.2.3.4:http; -A -u 1.2.3.4:tftp
  -A --sctp-service 1.2.3.4:80; -A --sctp-service 1.2.3.4:http; -A -t [2001:DB8::A]:80; -A -f 0; -A -f 5; -A -f 2147483647
  -A -f 4294967296; -A -f -1; -A -f 0x5; -A -f 99999999999999999999; -A -6 -f 8; -A -f 8 -6; -A -f 8 -6 -6
  -A -f 9 -t 1.2.3.4:80; -A -s rr; -A; -A -t 0.0.0.0:80; -A -t 255.255.255.255:80; -A -t 224.0.0.1:80; -A -u [ff02::1]:80
  -D -t 1.2.3:90; -D -t ::1 -p; -D -t ::1; -D -f 5; -D -f 5 -6; -D -f 8 -6; -Z; -Z -t 0.0.0.0:0; -Z -t 0.0.0.0:1; -Z -t [::]:0
  -Z -u 1.2.3.4:domain; -Z -f 2147483647; -Z -f 3
`

const SCHEDULING = `
  -A -t 1.2.3.4:80 -s nosuch; -A -t 1.2.3.4:81 -s ''; -A -t 1.2.3.4:82; -A -t 1.2.3.4:83 -s none; -A -t 1.2.3.4:84 -b ''
  -A -t 1.2.3.4:85 -b sh-port -s sh; -A -t 1.2.3.4:86 -b foo; -A -t 1.2.3.4:87 -b sh-port
  -A -t 1.2.3.4:88 -s mh -b mh-port,mh-fallback; -A -t 1.2.3.4:89 -s mh -b sh-port; -A -t 1.2.3.4:90 -b flag-1,flag-3
  -A -t 1.2.3.4:91 -s sh -b flag-1; -A -t 1.2.3.4:92 -s sh -b sh-port,,sh-fallback; -A -t 1.2.3.4:93 -b flag-1 -b flag-2
  -A -t 1.2.3.4:94 -s averyveryverylongname; -A -t 1.2.3.4:95 -o; -A -u 1.2.3.4:96 -o; -A -f 3 -o
  -A --sctp-service 1.2.3.4:97 -o; -E -u 1.2.3.4:96 -s rr; -E -t 1.2.3.4:82 -s wrr -o; -E -t 1.2.3.4:82 -s wrr
  -E -t 1.2.3.4:88 -s lc -b flag-2; -E -t 1.2.3.4:88 -s nosuch; -E -t 1.2.3.4:99 -s nosuch; -A -t 1.2.3.4:82 -s nosuch
  -A -t 1.2.3.5:1 -s rr; -A -t 1.2.3.5:2 -s wrr; -A -t 1.2.3.5:3 -s lc; -A -t 1.2.3.5:4 -s wlc; -A -t 1.2.3.5:5 -s lblc
  -A -t 1.2.3.5:6 -s lblcr; -A -t 1.2.3.5:7 -s dh; -A -t 1.2.3.5:8 -s sh; -A -t 1.2.3.5:9 -s sed; -A -t 1.2.3.5:10 -s nq
  -A -t 1.2.3.5:11 -s fo; -A -t 1.2.3.5:12 -s ovf; -A -t 1.2.3.5:13 -s mh
`

const REAL_SERVERS = `
  -A -t 1.2.3.4:80 -s rr; -A -u 1.2.3.4:53 -p; -A -f 5; -A -f 6 -6; -A -t [fd00::1]:80; -A -t 1.2.3.4:0 -p
  -a -t 1.2.3.4:80 -r 10.0.0.1; -e -t 1.2.3.4:80 -r 10.0.0.1; -a -t 1.2.3.4:80 -r 10.0.0.1; -e -t 1.2.3.4:80 -r 10.0.0.1
  -a -t 1.2.3.4:80 -r 10.0.0.2:8080; -e -t 1.2.3.4:80 -r 10.0.0.2:8080; -a -t 1.2.3.4:80 -r 10.0.0.3:8080 -m
  -e -t 1.2.3.4:80 -r 10.0.0.3:8080 -m; -a -t 1.2.3.4:80 -r 10.0.0.4:http -m; -e -t 1.2.3.4:80 -r 10.0.0.4:http -m
  -a -t 1.2.3.4:80 -r 10.0.0.4:nosuch -m; -e -t 1.2.3.4:80 -r 10.0.0.4:nosuch -m; -a -t 1.2.3.4:80 -r localhost -m
  -e -t 1.2.3.4:80 -r localhost -m; -a -t 1.2.3.4:80 -r 10.0.0.5 -w -1; -e -t 1.2.3.4:80 -r 10.0.0.5 -w -1
  -a -t 1.2.3.4:80 -r 10.0.0.5 -w 65536; -e -t 1.2.3.4:80 -r 10.0.0.5 -w 65536; -a -t 1.2.3.4:80 -r 10.0.0.6 -w 2147483647
  -e -t 1.2.3.4:80 -r 10.0.0.6 -w 2147483647; -a -t 1.2.3.4:80 -r 10.0.0.7 -w 2147483648
  -e -t 1.2.3.4:80 -r 10.0.0.7 -w 2147483648; -a -t 1.2.3.4:80 -r 10.0.0.7 -w ''; -e -t 1.2.3.4:80 -r 10.0.0.7 -w ''
  -a -t 1.2.3.4:80 -r 10.0.0.7 -w +5; -e -t 1.2.3.4:80 -r 10.0.0.7 -w +5; -a -t 1.2.3.4:80 -r 10.0.0.8 -w 5x
  -e -t 1.2.3.4:80 -r 10.0.0.8 -w 5x; -a -t 1.2.3.4:80 -r 10.0.0.8 -m -x 5 -y 10; -e -t 1.2.3.4:80 -r 10.0.0.8 -m -x 5 -y 10
  -a -t 1.2.3.4:80 -r 10.0.0.8 -m -x 10 -y 5; -e -t 1.2.3.4:80 -r 10.0.0.8 -m -x 10 -y 5; -a -t 1.2.3.4:80 -r 10.0.0.9 -y 5
  -e -t 1.2.3.4:80 -r 10.0.0.9 -y 5; -a -t 1.2.3.4:80 -r 10.0.0.9 -x -1; -e -t 1.2.3.4:80 -r 10.0.0.9 -x -1
  -a -t 1.2.3.4:80 -r 10.0.0.9 -x 2147483647; -e -t 1.2.3.4:80 -r 10.0.0.9 -x 2147483647
  -a -t 1.2.3.4:80 -r 10.0.0.10 -x 2147483648; -e -t 1.2.3.4:80 -r 10.0.0.10 -x 2147483648; -a -t 1.2.3.4:80 -r ::1 -m
  -e -t 1.2.3.4:80 -r ::1 -m; -a -t 1.2.3.4:80 -r [fd00::1]:80 -m; -e -t 1.2.3.4:80 -r [fd00::1]:80 -m
  -a -t 1.2.3.4:80 -r [fd00::1]:80 -i; -e -t 1.2.3.4:80 -r [fd00::1]:80 -i; -a -t 1.2.3.4:80 -r [fd00::2] -i
  -e -t 1.2.3.4:80 -r [fd00::2] -i; -a -t 1.2.3.4:80 -r fd00::2 -i; -e -t 1.2.3.4:80 -r fd00::2 -i
  -a -t 1.2.3.4:80 -r 0.0.0.0; -e -t 1.2.3.4:80 -r 0.0.0.0; -a -t 1.2.3.4:80 -r 224.0.0.1; -e -t 1.2.3.4:80 -r 224.0.0.1
  -a -t 1.2.3.4:80 -r 255.255.255.255; -e -t 1.2.3.4:80 -r 255.255.255.255; -a -t 1.2.3.4:80 -r 10.0.0.11 -i -g
  -e -t 1.2.3.4:80 -r 10.0.0.11 -i -g; -a -t 1.2.3.4:80 -r 10.0.0.11 -m -m; -e -t 1.2.3.4:80 -r 10.0.0.11 -m -m
  -a -t 1.2.3.4:80 -r 10.0.0.12 -i; -e -t 1.2.3.4:80 -r 10.0.0.12 -i; -a -t 1.2.3.4:80 -r 10.0.0.13 -i --tun-type ipip
  -e -t 1.2.3.4:80 -r 10.0.0.13 -i --tun-type ipip; -a -t 1.2.3.4:80 -r 10.0.0.13 --tun-type ipip
  -e -t 1.2.3.4:80 -r 10.0.0.13 --tun-type ipip; -a -t 1.2.3.4:80 -r 10.0.0.14 -i --tun-type gue --tun-port 6080
  -e -t 1.2.3.4:80 -r 10.0.0.14 -i --tun-type gue --tun-port 6080
  -a -t 1.2.3.4:80 -r 10.0.0.15 -i --tun-type gue --tun-port 6080 --tun-csum
  -e -t 1.2.3.4:80 -r 10.0.0.15 -i --tun-type gue --tun-port 6080 --tun-csum
  -a -t 1.2.3.4:80 -r 10.0.0.16 -i --tun-type gue --tun-port 6080 --tun-remcsum
  -e -t 1.2.3.4:80 -r 10.0.0.16 -i --tun-type gue --tun-port 6080 --tun-remcsum
  -a -t 1.2.3.4:80 -r 10.0.0.17 -i --tun-type gue --tun-port 6080 --tun-nocsum
  -e -t 1.2.3.4:80 -r 10.0.0.17 -i --tun-type gue --tun-port 6080 --tun-nocsum
  -a -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gue; -e -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gue
  -a -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gue --tun-port 1 --tun-csum --tun-nocsum
  -e -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gue --tun-port 1 --tun-csum --tun-nocsum
  -a -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gre; -e -t 1.2.3.4:80 -r 10.0.0.18 -i --tun-type gre
  -a -t 1.2.3.4:80 -r 10.0.0.19 -i --tun-type gre --tun-csum; -e -t 1.2.3.4:80 -r 10.0.0.19 -i --tun-type gre --tun-csum
  -a -t 1.2.3.4:80 -r 10.0.0.20 -i --tun-type gre --tun-nocsum; -e -t 1.2.3.4:80 -r 10.0.0.20 -i --tun-type gre --tun-nocsum
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-type gre --tun-remcsum; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-type gre --tun-remcsum
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-type gre --tun-port 5; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-type gre --tun-port 5
  -a -t 1.2.3.4:80 -r 10.0.0.21 --tun-type foo; -e -t 1.2.3.4:80 -r 10.0.0.21 --tun-type foo
  -a -t 1.2.3.4:80 -r 10.0.0.21 --tun-port 5; -e -t 1.2.3.4:80 -r 10.0.0.21 --tun-port 5
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 5; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 5
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 0; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 0
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 65536; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-port 65536
  -a -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-csum; -e -t 1.2.3.4:80 -r 10.0.0.21 -i --tun-csum
  -a -t 1.2.3.4:80 -r 10.0.0.21 -m --tun-csum; -e -t 1.2.3.4:80 -r 10.0.0.21 -m --tun-csum; -a -t 1.2.3.4:80 -r 127.0.0.1 -m
  -e -t 1.2.3.4:80 -r 127.0.0.1 -m; -a -t 1.2.3.4:80 -r 1.2.3.4 -m; -e -t 1.2.3.4:80 -r 1.2.3.4 -m; -a -t 1.2.3.4:80 -r ''
  -e -t 1.2.3.4:80 -r ''; -a -t 1.2.3.4:80 -r 80; -e -t 1.2.3.4:80 -r 80; -a -t 1.2.3.4:80 -r 10.0.0.22 -r 10.0.0.23
  -e -t 1.2.3.4:80 -r 10.0.0.22 -r 10.0.0.23; -a -r 10.0.1.8 -m -t 1.2.3.4:80; -a -r 10.0.1.8:http -m -t 1.2.3.4:80
  -a -r 10.0.1.9 -t 1.2.3.4:80; -d -r 10.0.1.8 -t 1.2.3.4:80; -d -t 1.2.3.4:80 -r 10.0.1.9; -d -t 1.2.3.4:80 -r 10.0.1.9
  -a -t 9.9.9.9:94 -r 0.0.0.0; -a -t 9.9.9.9:94 -r 10.0.0.1 -y 5; -e -t 9.9.9.9:94 -r 10.0.0.1; -d -t 9.9.9.9:94 -r 10.0.0.1
  -d -t 1.2.3.4:80; -d -t 1.2.3.4:80 -r [fd00::1]:80; -d -t 1.2.3.4:80 -r fd00::7; -a -f 5 -r 10.0.0.9:80 -g
  -a -f 5 -r 10.0.0.10; -a -f 5 -r 10.0.0.11:http; -a -f 6 -6 -r [fd00::2]:80 -g; -a -f 6 -r [fd00::3]:80 -g
  -a -f 6 -6 -r 10.0.0.1:80 -g; -a -f 6 -6 -r 10.0.0.1:80 -i; -a -t [fd00::1]:80 -r fd00::9 -m
  -a -t [fd00::1]:80 -r [fd00::9]:81 -m; -a -t [fd00::1]:80 -r ff02::1; -a -t [fd00::1]:80 -r ::
  -a -u 1.2.3.4:domain -r 10.0.0.1:domain -m; -a -t 1.2.3.4 -r 10.0.0.1:81 -m; -a -t 1.2.3.4 -r 10.0.0.2:81 -g
  -e -f 5 -r 10.0.0.10 -w 0 -m
`

const SETTINGS = `
  --set 1; --set 1 2; --set 1 2 3; --set 1 2 3 4; --set a 2 3; --set 0 0 0; --set 0 7 0; --set 2678400 1 1; --set 2678401 1 1
  --set -1 2 3; --set -- -1 2 3; --set 5 6 -- 7; --set 5 6 7 -n; -L --timeout; --start-daemon foo; --start-daemon
  --start-daemon master x; --start-daemon=; --start-daemon=backup --mcast-interface nosuch; --start-daemon master
  --start-daemon master --mcast-interface ''; --start-daemon master --mcast-interface lo --syncid 5
  --start-daemon master --mcast-interface lo --syncid 5; -L --daemon
  --start-daemon backup --mcast-interface averyveryverylongname
  --start-daemon backup --mcast-group 1.2.3.4 --mcast-interface lo; --start-daemon backup --mcast-group ::1
  --start-daemon backup --mcast-group foo; --start-daemon backup --mcast-group ff::1
  --start-daemon backup --mcast-group 224.0.0.01; --start-daemon backup --mcast-port 0; --start-daemon backup --mcast-ttl 256
  --start-daemon backup --sync-maxlen 65508; --start-daemon backup --syncid 256
  --start-daemon backup --mcast-interface lo --mcast-group 239.1.2.3 --mcast-port 9000 --mcast-ttl 3 --sync-maxlen 1400
  -L --daemon; -L --daemon -n; --stop-daemon foo; --stop-daemon master --syncid 5; --stop-daemon master; -L --daemon
  --stop-daemon backup; -L --daemon
`

export const cases: readonly Case[] = [
  ['options are written in all the ways that popt reads', BUNDLES],
  ['persistence, netmasks and engines are read alike', PERSISTENCE],
  ['addresses, ports, names and marks are read alike', ADDRESSES],
  ['schedulers and their flags are read alike', SCHEDULING],
  ['real servers, thresholds and tunnels are read alike', REAL_SERVERS],
  ['time-outs and daemons are read alike', SETTINGS],
].map(
  ([what, texts]): Case => ({
    name: `ipvsadm: ${what as string}`,
    needs: 'linux',
    run: context => sameAsIpvsadm(context, lines(texts as string)),
  }),
)
