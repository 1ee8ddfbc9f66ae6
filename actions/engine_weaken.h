/*
 * engine_weaken.h: rules of the engine that the simulator's own build can switch off, one bit each,
 * to show that the enumeration of crashes (simulator/hosts) notices. In the daemon's build
 * ENGINE_WEAKENED is false at compile time.
 *
 * WEAK(bit, name, what the weakened build does)
 */
#ifndef ESSAIM_ENGINE_WEAKEN_H
#define ESSAIM_ENGINE_WEAKEN_H

#define ENGINE_WEAKENINGS(WEAK)                                                                    \
	WEAK(JOURNAL, "journal", "a command is run before its journal record is durable")          \
	WEAK(PROBE, "probe", "after a crash a step is begun again without asking its probe")       \
	WEAK(LOST, "lost", "a lost result is taken for a failure without effect")                  \
	WEAK(EPOCH, "epoch", "an executor takes orders of an older epoch")                         \
	WEAK(ENDED, "ended", "an executor begins what its own ledger shows as ended")              \
	WEAK(ADOPT, "adopt", "a new master leaves running operations alone")                       \
	WEAK(REPEAT, "repeat", "a request asked again is taken on again")                          \
	WEAK(EXPECT, "expect", "proposals do not say which versions they were judged by")          \
	WEAK(PENDING, "pending", "locks of what is not committed yet do not count")                \
	WEAK(COMMIT, "commit", "a leg is dispatched before it is committed that it runs")          \
	WEAK(UNDO, "undo", "a failed operation ends at once as undone")

enum engine_weakening {
#define WEAK(bit, name, sentence) ENGINE_WEAK_##bit,
	ENGINE_WEAKENINGS(WEAK)
#undef WEAK
	ENGINE_WEAK_COUNT /* at most 32 */
};

#ifdef ESSAIM_WEAKEN
#define ENGINE_WEAKENED(engine, bit) ((engine)->settings.weakened >> (bit) & 1)
#else
#define ENGINE_WEAKENED(engine, bit) ((void)(engine), false)
#endif

#endif
