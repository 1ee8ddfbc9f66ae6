/*
 * The values of facts: what was encoded is read back, and nothing else is taken.
 */
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t value[FACT_VALUE_ROOM];
static _Alignas(16) uint8_t memory[ARENA_PACKET_SIZE];
static struct arena arena = {memory, sizeof memory, 0};

static struct bytes encoded(size_t size)
{
	assert_true(size > 0);
	return (struct bytes){value, size};
}

static struct host_fact a_host(void)
{
	struct host_fact h;
	memset(&h, 0, sizeof h);
	strcpy(h.uname, "rack1");
	strcpy(h.kernel, "6.1.0-18-amd64");
	strcpy(h.version, "0.2.0");
	strcpy(h.distribution, "Debian GNU/Linux 12 (bookworm)");
	h.cpus = 8;
	h.memory_mib = 65536;
	h.booted_wall = 1700000000 * SECOND;
	h.has_ssh_key = true;
	memset(h.ssh_key, 7, sizeof h.ssh_key);
	return h;
}

static void a_host_reads_back(void **state)
{
	struct host_fact in = a_host(), out;
	memset(&out, 0xff, sizeof out);
	assert_true(host_fact_decode(encoded(host_fact_encode(&in, value, sizeof value)), &arena, &out));
	assert_string_equal(out.uname, in.uname);
	assert_string_equal(out.distribution, in.distribution);
	assert_string_equal(out.virtualisation, "");
	assert_int_equal(out.memory_mib, in.memory_mib);
	assert_int_equal(out.booted_wall, in.booted_wall);
	assert_memory_equal(out.ssh_key, in.ssh_key, 32);
}

static void a_clock_reads_back_with_its_peers(void **state)
{
	struct clock_fact in = {.synchronised = true,
		.max_error = 12 * MILLISECOND,
		.rate_ppb = -500000,
		.service = "chrony",
		.stepped = -3600 * SECOND,
		.stepped_wall = 5 * SECOND,
		.peer_count = FACT_PEERS_MAX};
	struct clock_fact out;
	for (uint32_t i = 0; i < FACT_PEERS_MAX; i++)
		in.peers[i] = (struct clock_peer){i + 1, -(duration)i * 7 * MILLISECOND, 2 * MILLISECOND};
	assert_true(clock_fact_decode(encoded(clock_fact_encode(&in, value, sizeof value)), &arena, &out));
	assert_true(out.synchronised);
	assert_int_equal(out.rate_ppb, in.rate_ppb);
	assert_int_equal(out.stepped, in.stepped);
	assert_string_equal(out.service, "chrony");
	assert_int_equal(out.peer_count, FACT_PEERS_MAX);
	assert_memory_equal(out.peers, in.peers, sizeof in.peers);
}

static void a_dns_fact_reads_back_at_its_limits(void **state)
{
	struct dns_fact in, out;
	memset(&in, 0, sizeof in);
	in.server_count = FACT_SERVERS_MAX;
	in.name_count = FACT_NAMES_MAX;
	for (uint32_t i = 0; i < FACT_SERVERS_MAX; i++)
		in.servers[i] = (struct dns_server){"2001:db8:1111:2222:3333:4444:5555:6666", DNS_DEAD, 2, 5000};
	for (uint32_t i = 0; i < FACT_NAMES_MAX; i++)
		in.names[i] = (struct dns_name){i + 1, DNS_REVERSE, DNS_DIFFERS, i % 4, 1000, 16, {1, 2, 3}};
	in.system_ms = 5000;
	in.system_verdict = DNS_DEAD;
	assert_true(dns_fact_decode(encoded(dns_fact_encode(&in, value, sizeof value)), &arena, &out));
	assert_int_equal(out.name_count, FACT_NAMES_MAX);
	assert_memory_equal(out.names[3].found, in.names[3].found, 16);
	assert_int_equal(out.names[3].verdict, DNS_DIFFERS);
	assert_string_equal(out.servers[2].address, in.servers[2].address);
	assert_int_equal(out.system_verdict, DNS_DEAD);
}

static void a_full_list_of_findings_fits_and_reads_back(void **state)
{
	struct findings_fact in = {.count = FACT_FINDINGS_MAX, .more = 3}, out;
	for (uint32_t i = 0; i < FACT_FINDINGS_MAX; i++) {
		in.list[i] = (struct finding){i + 1, SEVERITY_ERROR, UINT64_MAX,
			{INT64_MIN, INT64_MAX, -1}, SECOND, ""};
		memset(in.list[i].detail, 'x', FACT_DETAIL_MAX);
	}
	assert_true(findings_fact_decode(encoded(findings_fact_encode(&in, value, sizeof value)), &arena,
	                                 &out));
	assert_int_equal(out.count, FACT_FINDINGS_MAX);
	assert_int_equal(out.list[5].numbers[0], INT64_MIN);
	assert_string_equal(out.list[5].detail, in.list[5].detail);
	assert_int_equal(out.more, 3);
}

static void what_would_spoil_a_terminal_is_refused(void **state)
{
	struct host_fact in = a_host(), out;
	strcpy(in.uname, "a\033[2Jb");
	assert_false(host_fact_decode(encoded(host_fact_encode(&in, value, sizeof value)), &arena, &out));
}

static void every_cut_of_a_fact_is_refused_or_read_without_harm(void **state)
{
	struct dns_fact in = {.server_count = 1, .servers = {{"192.0.2.1", DNS_SLOW, 0, 200}}}, out;
	size_t size = dns_fact_encode(&in, value, sizeof value);
	assert_true(size > 0);
	for (size_t i = 0; i < size; i++)
		(void)dns_fact_decode((struct bytes){value, i}, &arena, &out);
	memset(value, 0xff, sizeof value);
	assert_false(dns_fact_decode((struct bytes){value, sizeof value}, &arena, &out));
}

static void what_wanders_is_said_in_steps(void **state)
{
	assert_int_equal(fact_step(0, 100), 0);
	assert_int_equal(fact_step(100, 100), 0);
	assert_int_equal(fact_step(101, 100), 200);
	assert_int_equal(fact_step(999, 100), 1000);
	assert_int_equal(fact_step(1001, 100), 2000);
	assert_true(fact_step(UINT64_MAX, 100) > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_reads_back),
		cmocka_unit_test(a_clock_reads_back_with_its_peers),
		cmocka_unit_test(a_dns_fact_reads_back_at_its_limits),
		cmocka_unit_test(a_full_list_of_findings_fits_and_reads_back),
		cmocka_unit_test(what_would_spoil_a_terminal_is_refused),
		cmocka_unit_test(every_cut_of_a_fact_is_refused_or_read_without_harm),
		cmocka_unit_test(what_wanders_is_said_in_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
