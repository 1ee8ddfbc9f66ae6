/*
 * weaken.h: rules that the simulator's own build of gossip can switch off, one bit each.
 *
 * A simulator that finds nothing proves nothing unless it finds what was planted. Each row names
 * one rule of lease.md (or of membership) and what the weakened build does instead; the switch sits
 * at the rule, as WEAKENED(g, WEAK_...). Only the build with ESSAIM_WEAKEN has the switches: in
 * the daemon's, WEAKENED is false at compile time.
 *
 * WEAK(bit, name, rule, what the weakened build does)
 */
#ifndef ESSAIM_WEAKEN_H
#define ESSAIM_WEAKEN_H

#define WEAKENINGS(WEAK)                                                                           \
	WEAK(INCARNATION, "incarnation", "State",                                                  \
	     "a start keeps the incarnation's number")                                             \
	WEAK(PROMISED_VOLATILE, "promised-volatile", "State",                                      \
	     "a start has forgotten the promised ballot")                                          \
	WEAK(OWNER_BY_BALLOT, "owner-by-ballot", "State",                                          \
	     "the owner of a grant is whose node and incarnation the ballot names")                \
	WEAK(CLOCK_OWNER, "clock-owner", "Time",                                                   \
	     "an owner counts by the smaller of its two elapsed times")                            \
	WEAK(CLOCK_VOTER, "clock-voter", "Time",                                                   \
	     "a voter counts by the larger of its two elapsed times")                              \
	WEAK(EXCLUSION_SHORT, "exclusion-short", "Time", "D_A is three quarters of D_P")           \
	WEAK(QUARANTINE_SHORT, "quarantine-short", "Time", "D_Q is a tenth of D_P")                \
	WEAK(RATE_GUARD, "rate-guard", "Time", "an owner whose clock runs slow is not refused")    \
	WEAK(V0_QUARANTINE, "v0-quarantine", "V0", "a voter votes at once after a start")          \
	WEAK(V0_LEASE_MAX, "v0-lease-max", "V0",                                                   \
	     "quarantine is computed from the present D_P, not from the largest ever granted")     \
	WEAK(V1_LOWER, "v1-lower", "V1", "a message of a lower config is taken")                   \
	WEAK(V1_PERSIST, "v1-persist", "V1", "a higher config is adopted in memory only")          \
	WEAK(V1_ORDER, "v1-order", "V1", "configs are compared by version before ballot")          \
	WEAK(V2_LIVE, "v2-live", "V2", "a ballot is promised while another owner's grant lives")   \
	WEAK(V2_PROMISED, "v2-promised", "V2",                                                     \
	     "a PREPARE refused for a live grant raises the promised ballot all the same")         \
	WEAK(V2_DURABLE, "v2-durable", "V2", "PROMISE leaves before it is durable")                \
	WEAK(V2_LEAVES, "v2-leaves", "V2",                                                         \
	     "an owner whose own voter promised another ballot goes on under its own")             \
	WEAK(V3_BALLOT, "v3-ballot", "V3", "a ballot below the promised one is accepted")          \
	WEAK(V3_LIVE, "v3-live", "V3", "an ACCEPT replaces the live grant of another owner")       \
	WEAK(V3_INCARNATION, "v3-incarnation", "V3",                                               \
	     "owners are compared by node, not by incarnation")                                    \
	WEAK(V3_ROUND, "v3-round", "V3", "an older round extends the grant and is answered as such") \
	WEAK(V3_MAX, "v3-max", "V3", "a round sets the end of the exclusion even if that is earlier") \
	WEAK(V3_DURABLE, "v3-durable", "V3", "ACCEPTED leaves before its entries are durable")     \
	WEAK(V3_FAILED, "v3-failed", "V3", "a write that failed is answered as if it had succeeded") \
	WEAK(V3_DISK, "v3-disk", "V3", "an overdue disk check is not minded")                          \
	WEAK(V4_EXACT, "v4-exact", "V4", "a RELEASE clears whatever grant is live")                \
	WEAK(V5_EXACT, "v5-exact", "V5", "a TRANSFER replaces any live grant")                     \
	WEAK(V5_LOG, "v5-log", "V5", "a TRANSFER is taken by a voter whose log lacks M's last entry") \
	WEAK(V5_SIGNED, "v5-signed", "V5", "the signature of a TRANSFER is not looked at")         \
	WEAK(P1_DEADLINE, "p1-deadline", "P1", "the first authority counts from the answer")       \
	WEAK(P1_LAGGING, "p1-lagging", "P1", "a lagging candidate is promised without the entries it lacks") \
	WEAK(P2_IDENTITY, "p2-identity", "P2", "answers are counted, not voters")                  \
	WEAK(P2_OPEN, "p2-open", "P2", "a promise counts though it reports another's live grant")  \
	WEAK(P2_CONFIG, "p2-config", "P2", "a candidate that meets a higher config goes on")       \
	WEAK(P3_REPROPOSE, "p3-repropose", "P3", "what is not known committed is not proposed again") \
	WEAK(P3_HIGHEST, "p3-highest", "P3", "of two entries for a slot the own one is kept")      \
	WEAK(P4_CLAIM, "p4-claim", "P4", "a master acts before its CLAIM is committed and applied") \
	WEAK(P4_ROUNDS, "p4-rounds", "P4", "answers to different rounds are counted together")     \
	WEAK(P4_CONFIG, "p4-config", "P4", "answers under another config are counted")             \
	WEAK(P5_NUMBER, "p5-number", "P5", "a renewal keeps its round's number")                   \
	WEAK(P5_DEADLINE, "p5-deadline", "P5", "a renewal's authority counts from the answer")     \
	WEAK(P6_RESUME, "p6-resume", "P6", "a ballot that lapsed is resumed")                      \
	WEAK(P7_AUTHORITY, "p7-authority", "P7", "a read is answered without asking for authority") \
	WEAK(P7_NOW, "p7-now", "P7", "an input is judged by the time of the turn before")          \
	WEAK(P8_RELEASE, "p8-release", "P8", "an owner releases and goes on acting")               \
	WEAK(P9_STOP, "p9-stop", "P9", "M does not stop before it sends TRANSFER")                 \
	WEAK(P9_RESUME, "p9-resume", "P9", "M resumes b_m when it is answered after TRANSFER")     \
	WEAK(P9_SUCCESSOR, "p9-successor", "P9", "T's ballot is not b_m's immediate successor")    \
	WEAK(P9_TIMER, "p9-timer", "P9", "T's timer starts when it takes TRANSFER")                \
	WEAK(P9_LOG, "p9-log", "P9", "the lease is offered to a voter whose log is not M's")       \
	WEAK(R1_REWRITE, "r1-rewrite", "R1", "the config changes before M rewrote it under its ballot") \
	WEAK(R2_CERTIFIED, "r2-certified", "R2", "the config changes before it is the certificate") \
	WEAK(R3_CARRIED, "r3-carried", "R3", "the config changes before the new set has all that is committed") \
	WEAK(R4_ONE, "r4-one", "R4", "two voters go at once")                                      \
	WEAK(TERMS_ORDER, "terms-order", "Time", "D_P is raised before D_A")                       \
	WEAK(TERMS_WAIT, "terms-wait", "Time", "D_A and D_Q fall at once after D_P")                                      \
	WEAK(EPOCH_ORDER, "epoch-order", "P4", "an epoch counts what was applied, not what may be committed") \
	WEAK(APPLY_ONCE, "apply-once", "P6", "a request asked again is applied again")             \
	WEAK(TOMBSTONE, "tombstone", "membership", "a removed member that is heard is a member again") \
	WEAK(ONE_ACCUSER, "one-accuser", "membership", "a refusal is a verdict")                   \
	WEAK(OBSERVERS, "observers", "membership", "anybody's word counts about a member of a large swarm") \
	WEAK(CONFIRMATIONS, "confirmations", "membership", "a suspicion is as short as if many confirmed it") \
	WEAK(ACCUSATION_BUDGET, "accusation-budget", "membership", "one author's accusations are not counted") \
	WEAK(SICK_ONE, "sick-one", "membership", "who hears few accuses them all")                 \
	WEAK(UNHEARD_ACCUSER, "unheard-accuser", "membership", "who is unreachable itself accuses others") \
	WEAK(JUDGE_LATE, "judge-late", "membership", "a judge who comes late judges at once")      \
	WEAK(REPLAY, "replay", "membership", "a packet seen before counts again")                  \
	WEAK(REKEY_SIGNED, "rekey-signed", "rekey", "a key is changed without both signatures")    \
	WEAK(REGISTRY_EPOCH, "registry-epoch", "registry",                                         \
	     "a transaction of an earlier epoch changes rows")                                     \
	WEAK(REGISTRY_VERSION, "registry-version", "registry",                                     \
	     "a transaction changes rows of other versions than it names")                         \
	WEAK(LEVEL_EARLY, "level-early", "level", "the level rises while a member speaks less")    \
	WEAK(SEIZE_QUORUM, "seize-quorum", "seize", "what others reach, a quorum or the dead, stops no seizure") \
	WEAK(SEIZE_WAIT, "seize-wait", "seize", "a seizer founds at once: leases of the old generation live") \
	WEAK(SEIZE_BEST_LOG, "seize-best-log", "seize",                                            \
	     "a seizer goes on from its own log, whatever those have who follow")                  \
	WEAK(SEIZE_UNNAMED, "seize-unnamed", "seize",                                              \
	     "members that neither consent nor were named dead do not stop a seizure")             \
	WEAK(SEIZE_FREEZE, "seize-freeze", "seize", "who consented goes on to vote and to learn")  \
	WEAK(SEIZE_SHARED, "seize-shared", "seize", "who seizes, or consented to another, consents") \
	WEAK(SEIZE_ATTEMPT, "seize-attempt", "seize", "who did not consent to this attempt follows") \
	WEAK(GENERATION_ORDER, "generation-order", "seize", "rivals with one number both go on")   \
	WEAK(GENERATION_FRAMES, "generation-frames", "seize",                                      \
	     "a frame of another generation is taken as one of ours")                              \
	WEAK(CLOCK_BOUND, "clock-bound", "clocks", "an offset's bound leaves out the time its packets took") \
	WEAK(INCARNATION_ORDER, "incarnation-order", "membership", "a lower incarnation replaces a higher")

enum weakening {
#define WEAK(bit, name, rule, sentence) WEAK_##bit,
	WEAKENINGS(WEAK)
#undef WEAK
	WEAK_COUNT /* at most 128: weakened_set */
};

__extension__ typedef unsigned __int128 weakened_set; /* bit by enum weakening */

#endif
