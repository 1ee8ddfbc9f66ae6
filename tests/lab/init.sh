#!/bin/sh
# The first process of a machine in the lab: devices, modules, addresses, then the agent.
export PATH=/bin:/usr/bin:/sbin:/usr/sbin
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /root /mnt
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mkdir -p /run/lock /run/drbd /run/lvm /var
[ -e /var/run ] || ln -s /run /var/run
[ -e /var/lock ] || ln -s /run/lock /var/lock
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in virtio_pci virtio_console virtio_blk virtio_net dm-mod; do
	modprobe $module
done
for word in $(cat /proc/cmdline); do
	case $word in
	lab.name=*) name=${word#*=} ;;
	lab.number=*) number=${word#*=} ;;
	lab.root=*) root=${word#*=} ;;
	esac
done
if [ -n "$root" ]; then # a whole Debian: its own systemd goes on from here, with our agent in it
	modprobe ext4
	while [ ! -b "$root" ]; do
		usleep 20000
	done
	mkdir -p /whole
	mount -t ext4 "$root" /whole
	cp /bin/lab-agent /whole/usr/local/bin/lab-agent
	cp -a /lib/modules/. /whole/lib/modules/
	echo "$name" >/whole/etc/hostname
	echo "127.0.0.1 localhost $name" >/whole/etc/hosts
	umount /sys/fs/cgroup /run /dev/shm /dev/pts /sys
	mount --move /dev /whole/dev
	umount /proc
	exec switch_root /whole /sbin/init
fi
hostname "$name"
echo "127.0.0.1 localhost" >/etc/hosts
for other in a:1 b:2 c:3; do
	echo "10.9.0.${other#*:} ${other%:*}" >>/etc/hosts
done
ip link set lo up
ip addr add "10.9.0.$number/24" dev eth0
ip link set eth0 up
ip addr add "10.9.1.$number/24" dev eth1
ip link set eth1 up
port=""
while [ -z "$port" ]; do
	for entry in /sys/class/virtio-ports/*; do
		[ "$(cat "$entry/name" 2>/dev/null)" = agent ] && port=/dev/${entry##*/}
	done
	[ -n "$port" ] || usleep 20000
done
/bin/lab-agent "$port" &
while :; do
	wait
	sleep 1
done
