/** A ruleset in nft's language with a bit of everything that nft 1.0.6 and kernels without flowtables take. */
export const ruleset = `table inet t { comment "the table"
 counter hits { packets 5 bytes 500; comment "c" }
 quota q { over 10 mbytes }
 map objs { type ipv4_addr : counter; elements = { 1.2.3.4 : "hits" } }
 set plain { type ipv4_addr; elements = { 1.1.1.1, 2.2.2.2 comment "x" } }
 set ranges { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.1-192.168.1.77, 255.0.0.0-255.255.255.255 } }
 set timed { type inet_service; flags timeout; timeout 1h; elements = { 80, 443 timeout 5m } }
 set dyn { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m; }
 map conc { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 10.96.0.1 . tcp . 80 : 10.0.0.1 . 8080 } }
 set cr { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-1024 } }
 map vm { type inet_service : verdict; elements = { 22 : accept, 80 : jump web, 443 : goto web } }
 chain web { counter packets 7 bytes 70 return;
 }
 chain in { type filter hook input priority filter + 10; policy drop; comment "base"
  tcp dport vmap @vm
  ip saddr @plain drop
  ip saddr { 4.4.4.4, 5.5.5.5 } counter packets 1 bytes 2 accept comment "anon"
  tcp dport vmap { 1 : accept, 2 : jump web }
  ip daddr . tcp dport { 1.1.1.1 . 80 } accept
  ip saddr 10.0.0.0/8 jump { tcp dport 80 accept; udp dport { 53, 67 } counter drop; }
  tcp dport 5000 add @dyn { ip saddr timeout 30s } 
  meta l4proto tcp counter name "hits" quota name "q"
  counter name ip saddr map { 9.9.9.9 : "hits" }
  limit rate 10/second burst 5 packets log prefix "x" level info
  ct state established,related accept
  iifname { "eth0", "lo" } accept
 }
}
table ip nat {
 chain pre { type nat hook prerouting priority dstnat; dnat to numgen random mod 3 map { 0 : 10.0.0.1, 1 : 10.0.0.2, 2 : 10.0.0.3 } 
  dnat ip to ip daddr . tcp dport map { 1.1.1.1 . 80 : 2.2.2.2 . 8080 };
 }
 chain post { type nat hook postrouting priority srcnat; masquerade random,persistent;
 }
}
table netdev nd { chain i { type filter hook ingress device "lo" priority 0; policy accept; ip saddr 1.1.1.1 drop;
 } 
}
table bridge br { chain f { type filter hook forward priority 0; }
 }
table arp a { chain i { type filter hook input priority 0; arp operation request counter;
 }
 }
`
