/*
 * doctor_codes.h: everything the doctor can find, one row each: the stable number (it travels in
 * facts), its name, area, severity, what is shown, why it matters, and the command that mends it.
 *
 * CODE(number, name, area, severity, sentence, why, command)
 *
 * `sentence` and `command` have placeholders {where} (the node that observed it), {about} (the node
 * it is about), {1} {2} {3} and {1ms} {2ms} {3ms} (numbers), {detail}. Numbers are never used
 * again for something else. A row whose severity may differ by degree names the highest.
 */
#ifndef ESSAIM_DOCTOR_CODES_H
#define ESSAIM_DOCTOR_CODES_H

#define DOCTOR_CODES(CODE)                                                                         \
	CODE(1, CLOCK_OFFSET, CLOCK, ERROR, "the clock of {about} is off by {1ms} (known to +- {2ms})", \
	     "Tokens expire by the wall clock, logs of two nodes cannot be compared, and other "   \
	     "software (tickets, certificates, file servers) refuses nodes whose time is off.",    \
	     "timedatectl set-ntp true; chronyc makestep   # on {about}")                           \
	CODE(2, CLOCK_DISAGREE, CLOCK, ERROR,                                                      \
	     "the clocks of {where} and {about} differ by {1ms}: one of the two is off",            \
	     "With two clocks nobody can tell which is right; neither is synchronised.",            \
	     "timedatectl timesync-status || chronyc tracking   # on both")                         \
	CODE(3, NTP_UNSYNCED, CLOCK, WARNING, "no time service keeps the clock of {about}",         \
	     "An unsynchronised clock drifts by seconds a week.",                                  \
	     "apt install chrony   # on {about}")                                                   \
	CODE(4, CLOCK_STEPPED, CLOCK, WARNING, "the clock of {about} was stepped by {1ms}",         \
	     "Whoever steps a clock back makes things happen before their cause; the lease does not " \
	     "mind, people and other software do.",                                                 \
	     "journalctl -u chrony -u systemd-timesyncd --since -1h   # on {about}")                \
	CODE(5, LEASE_RATE, CLOCK, ERROR,                                                           \
	     "two clocks of {about} run apart by {1} ppm: beyond what the lease allows for",        \
	     "The lease assumes a bounded clock rate. Voters refuse a master beyond it.",           \
	     "essaim node show {about}; dmesg | grep -i clocksource   # on {about}")                \
	CODE(10, DNS_SERVER_DEAD, DNS, ERROR, "name server {detail} does not answer {where}",       \
	     "Every look-up waits for the dead server first: ssh, migrations and log-ins pause for seconds.", \
	     "cat /etc/resolv.conf; dig @{detail} . SOA   # on {where}")                            \
	CODE(11, DNS_SLOW, DNS, WARNING, "name server {detail} answers {where} only after {1ms}",   \
	     "Each look-up takes that long.", "dig @{detail} {about}   # on {where}")               \
	CODE(12, DNS_SLOW_PTR, DNS, WARNING,                                                        \
	     "asking for the name of {about}'s address takes {1ms} on {where}",                     \
	     "sshd and other daemons ask for the name of each peer before they answer.",            \
	     "dig -x {detail}; getent hosts {detail}   # on {where}")                                 \
	CODE(13, NAME_MISMATCH, DNS, ERROR, "on {where} the name {about} leads to {detail}",        \
	     "Whoever uses the name (ssh, migration, file shares) reaches another machine.",        \
	     "getent ahosts {about}   # on {where}, then mend DNS or /etc/hosts")                   \
	CODE(14, NAME_TWICE, DNS, ERROR, "{about} and {where} both call themselves '{detail}' (uname -n)", \
	     "Tools that go by the host's name mix the two up.",                                    \
	     "hostnamectl set-hostname {about}   # on {about}")                                    \
	CODE(15, NAME_UNKNOWN, DNS, INFO, "on {where} the name {about} leads nowhere",              \
	     "essaim itself goes by addresses; ssh by name and migrations do not work.",            \
	     "getent hosts {about}   # on {where}, then add it to DNS or /etc/hosts")               \
	CODE(16, DNS_REFUSES, DNS, WARNING, "name server {detail} answers {where} with an error ({1})", \
	     "Such a server is configured, but of no use.", "dig @{detail} {about}   # on {where}") \
	CODE(17, RESOLVER_STUCK, DNS, ERROR, "a look-up of its own name takes {where} {1ms} or more", \
	     "This is what ssh, libvirt and log-ins really wait for.",                              \
	     "time getent ahosts \"$(uname -n)\"; cat /etc/nsswitch.conf   # on {where}")           \
	CODE(20, KEY_CLONE, NETWORK, ERROR, "the key of {about} is alive in two places: {detail}",  \
	     "A copied data folder: two processes vote as one. The younger one is refused.",        \
	     "essaim node reset   # on the copy, then essaim join")                                 \
	CODE(21, MTU_SMALL, NETWORK, WARNING, "packets of {1} bytes do not get from {where} to {about}", \
	     "Small packets pass and large ones do not: joins and look-ups work, snapshots and bursts hang.", \
	     "ping -M do -c 3 -s 1232 {detail}; ip link   # on {where}")                                  \
	CODE(22, ONE_WAY_LINK, NETWORK, ERROR, "{where} hears {about}, which does not hear {where}", \
	     "A firewall rule or a broken cable in one direction.",                                 \
	     "nft list ruleset   # on both, port 7800 udp and tcp")                                 \
	CODE(23, PATH_DOWN, NETWORK, WARNING, "one path between {where} and {about} is down: {detail}", \
	     "The other path carries everything; the next failure cuts the two apart.",             \
	     "essaim node show {about}   # on {where}")                                             \
	CODE(24, UNREACHABLE, NETWORK, ERROR, "{about} is unreachable since {1ms}",                 \
	     "Nobody answers there, as several members agree.",                                     \
	     "essaim node show {about}; systemctl status essaimd   # on {about}")                   \
	CODE(25, TCP_BLOCKED, NETWORK, ERROR, "{where} cannot open a stream to {about}",            \
	     "Packets pass but TCP does not: joins, snapshots and big writes need it.",             \
	     "nft list ruleset   # port 7800 tcp on {about}")                                       \
	CODE(30, NO_QUORUM, QUORUM, ERROR, "only {1} of {2} voters are reachable, {3} are needed",  \
	     "There is no master and nothing can be written until voters come back.",               \
	     "essaim cluster show; essaim help master seize")                                       \
	CODE(31, VOTERS_TWO, QUORUM, INFO, "two voters: when either dies there is no master",       \
	     "Two machines alone cannot tell a dead peer from a cut cable.",                        \
	     "essaim token create --witness   # and join --witness on any small board")             \
	CODE(32, VOTER_LOST, QUORUM, WARNING, "the voter {about} is unreachable: {1} more may fail", \
	     "A voter that is away for five minutes is replaced when another member is there.",     \
	     "essaim node show {about}; essaim node remove {about}   # if it is gone for good")     \
	CODE(33, NO_MASTER, QUORUM, ERROR, "there is no master",                                    \
	     "Nothing can be written.", "essaim status; essaim cluster show")                       \
	CODE(40, VERSION_RANGE, VERSION, ERROR, "{about} speaks wire versions that {where} does not", \
	     "The two cannot talk.", "apt install essaim   # on the older of the two")              \
	CODE(41, VERSION_MIXED, VERSION, INFO, "{about} runs {detail}, {where} another version",    \
	     "An upgrade under way. New commands wait until all nodes know them.",                  \
	     "apt install essaim   # on {about}")                                                   \
	CODE(50, DISK_SLOW, DISK, WARNING, "synced writes take {1ms} on {about}",                   \
	     "A voter's answers wait for its disk; a slow one loses its vote.",                     \
	     "iostat -x 1 5; findmnt -T /var/lib/essaim   # on {about}")                                    \
	CODE(51, DISK_FULL, DISK, ERROR, "the file system of essaim's data on {about} is {1} % full", \
	     "A store that cannot be written loses its vote.",                                      \
	     "df -h /var/lib/essaim; journalctl --vacuum-size=200M   # on {about}")                 \
	CODE(52, ROOT_FULL, DISK, WARNING, "the root file system of {about} is {1} % full",         \
	     "Much else fails first when it is full.", "df -h /; du -xsh /var/*   # on {about}")    \
	CODE(53, STORE_FAILED, DISK, ERROR, "the store of {about} cannot be written",               \
	     "It votes for nobody until its disk works again.",                                     \
	     "dmesg | tail; df -h /var/lib/essaim   # on {about}")                                  \
	CODE(60, HOST_LOADED, HOST, WARNING, "the daemon of {about} was late by {1ms}",             \
	     "A machine that starves its daemons answers probes late and loses the lease.",         \
	     "essaim node show {about}; vmstat 1   # on {about}")                                   \
	CODE(61, FACTS_OLD, HOST, INFO, "what {about} says of itself ({detail}) is unknown since {1ms}", \
	     "An observer there fails or hangs. What it said before is not shown.", "journalctl -u essaimd   # on {about}") \
	CODE(62, HAND_GONE, HOST, ERROR, "the hand of {about} is gone since {1ms}", \
	     "Nothing can be done on that node, and what is shown of its storage is old.", \
	     "systemctl status essaim-hand; journalctl -u essaim-hand   # on {about}") \
	CODE(70, LVM_STUCK, STORAGE, ERROR, "LVM on {about} does not answer since {1ms}", \
	     "A device that hangs holds up every LVM command there; what is shown of its volumes is old.", \
	     "ps -eo pid,stat,wchan:20,args | grep -w D; dmesg | tail   # on {about}") \
	CODE(71, VG_DUPLICATE_PV, STORAGE, ERROR, "{about} sees one PV on two devices: {detail}", \
	     "LVM may read and write the wrong one: below DRBD, or a copy. It refuses changes until one is hidden.", \
	     "pvs -a -o+pv_uuid   # on {about}, then a reject in global_filter of /etc/lvm/lvm.conf") \
	CODE(72, VG_MISSING_PV, STORAGE, ERROR, "{1} of the devices of volume group '{detail}' are missing on {about}", \
	     "Volumes on them cannot be used, and the group cannot be changed.", \
	     "vgs -o+vg_missing_pv_count; pvs   # on {about}") \
	CODE(73, THIN_FULL, STORAGE, ERROR, "the thin pool or snapshot '{detail}' on {about} is {1} % full ({2} % of its metadata)", \
	     "A pool that is full stops all of its volumes with errors; a snapshot that is full is lost.", \
	     "lvs -a -o+data_percent,metadata_percent; lvextend -l+25%FREE {detail}   # on {about}") \
	CODE(74, STORAGE_MISSING, STORAGE, ERROR, "the storage '{detail}' is declared for {about}, and is not there", \
	     "Volumes on it cannot be used there, and nothing can move there.", \
	     "essaim storage show {detail}") \
	CODE(75, STORAGE_NOT_SAME, STORAGE, ERROR, "the storage '{detail}' on {about} is not the one that its other nodes have", \
	     "It is declared as shared: whatever relies on that would find other data there, or none.", \
	     "essaim storage show {detail}") \
	CODE(76, STORAGE_NOT_MOUNTED, STORAGE, ERROR, "the storage '{detail}' is not mounted on {about}", \
	     "Its folder is there and empty: what is made in it would lie on the system's own disk.", \
	     "essaim storage show {detail}; findmnt; mount -a   # on {about}") \
	CODE(77, STORAGE_STALE, STORAGE, ERROR, "the storage '{detail}' does not answer on {about}", \
	     "Its server, its network or its disk hangs, and whatever touches it does, too.", \
	     "essaim storage show {detail}; dmesg | tail   # on {about}") \
	CODE(80, DRBD_SPLIT_BRAIN, STORAGE, ERROR, "split brain of '{detail}' between {where} and {about}", \
	     "Both sides were written while apart. One of the two versions has to be given up, or merged by hand.", \
	     "essaim drbd show {detail}") \
	CODE(81, DRBD_DIVERGED, STORAGE, ERROR, "'{detail}' was written on both {where} and {about} while they are apart", \
	     "It becomes a split brain as soon as the two connect again.", \
	     "essaim drbd show {detail}") \
	CODE(82, DRBD_STALE, STORAGE, ERROR, "'{detail}' is silently stale on {about}", \
	     "The other side believes it up to date, and it is not: a fail-over would go back in time.", \
	     "essaim drbd show {detail}") \
	CODE(83, DRBD_STANDALONE, STORAGE, WARNING, "'{detail}' is disconnected by hand on {about}", \
	     "What is written on one side does not reach the other, and it does not connect by itself.", \
	     "drbdadm connect {detail}   # on {about}") \
	CODE(84, DRBD_AUTHENTICATION, STORAGE, ERROR, "'{detail}' does not connect {where} and {about}: their secrets differ", \
	     "What is written on one side does not reach the other.", \
	     "drbdadm dump {detail} | grep -A9 net   # on both") \
	CODE(85, DRBD_OPTIONS, STORAGE, ERROR, "the options of '{detail}' differ between {where} and {about}", \
	     "The two refuse each other at the next connect, if not now.", \
	     "drbdsetup show --show-defaults {detail}   # on both") \
	CODE(86, DRBD_UNRELATED, STORAGE, ERROR, "the data of '{detail}' on {where} and {about} never were the same", \
	     "They refuse to connect. Only a full copy from one side makes them a pair, and it overwrites the other.", \
	     "essaim drbd show {detail}; drbdadm show-gi {detail}   # on both") \
	CODE(87, DRBD_DIFFERS, STORAGE, WARNING, "{1} KiB of '{detail}' are known to differ between {where} and {about}", \
	     "A verify found them. Both sides still say that they are up to date.", \
	     "essaim drbd show {detail}") \
	CODE(88, DRBD_DEGRADED, STORAGE, ERROR, "the disk of '{detail}' on {about} is not up to date, and nothing mends it", \
	     "There is one copy only.", \
	     "essaim drbd show {detail}; dmesg | grep drbd   # on {about}") \
	CODE(89, DRBD_CONNECTING, STORAGE, WARNING, "'{detail}' has no connection between {where} and {about}", \
	     "What is written on one side does not reach the other until they meet.", \
	     "essaim drbd show {detail}; nft list ruleset   # on both") \
	CODE(90, DRBD_DOWN, STORAGE, WARNING, "'{detail}' is not up on {about}", \
	     "There is one copy only.", \
	     "drbdadm up {detail}   # on {about}")

enum doctor_code {
#define CODE(number, name, ...) DOCTOR_##name = number,
	DOCTOR_CODES(CODE)
#undef CODE
};

#endif
