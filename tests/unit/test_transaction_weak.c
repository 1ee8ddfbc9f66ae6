/* What the two checks of a registry transaction are there for: without them it goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "text.h"

static bool applies(weakened_set weakened, uint64_t epochs_ago, uint64_t if_version)
{
	struct alone *a = alone_new(3, 1, NULL);
	a->core->settings.weakened = weakened;
	alone_pass(a, 20 * SECOND);
	struct command c = {.kind = COMMAND_REGISTRY, .epoch = a->core->ledger.epoch - epochs_ago,
		.change_count = 1};
	struct kv_view view;
	c.changes[0] = (struct row_change){.key = text_bytes("oone"), .value = text_bytes("1"),
		.if_version = if_version};
	ledger_apply(a->core, 100, &c);
	bool there = gossip_registry(a->core, text_bytes("oone"), &view);
	alone_free(a);
	return there;
}

static void without_the_check_of_the_epoch_an_engine_that_lost_its_seat_changes_rows(void **state)
{
	assert_true(applies(0, 0, 0));
	assert_false(applies(0, 1, 0));
	assert_true(applies((weakened_set)1 << WEAK_REGISTRY_EPOCH, 1, 0));
}

static void without_the_check_of_versions_a_change_made_from_an_old_row_is_written(void **state)
{
	assert_false(applies(0, 0, 7));
	assert_true(applies((weakened_set)1 << WEAK_REGISTRY_VERSION, 0, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_check_of_the_epoch_an_engine_that_lost_its_seat_changes_rows),
		cmocka_unit_test(without_the_check_of_versions_a_change_made_from_an_old_row_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
