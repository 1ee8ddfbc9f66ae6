/*
 * permits.pml: one VM with ha = restart on two hosts: permit, watchdog, the master's wait, proof ("Running a
 * VM" of lease.md). Written before the code, so that actions/ begins with checked rules.
 *
 * Modelled. Placement versions 0..MOVES: version v is placed on host v % 2; a host knows some version that
 *   was committed. Host 0 may be fenced, and boot again. The lease is *perfect*: epochs 1..EPOCHS, one active master, none issues after its end. A
 *   host has one ask outstanding, with a nonce; a permit carries the ask's nonce, the master's epoch and
 *   the version committed when it was issued; permits stay deliverable for ever, also after the host's
 *   restart. Host 0 starts with the VM running and no watchdog (ha was off) and arms later.
 *   With SEIZE: a new generation of which host 1 is part may begin; its master moves the VM of host 0,
 *   while the old master still acts for host 0 on the other side.
 * Time. As in lease.pml: a permit lasts DN true ticks from the ask, the watchdog WD from its last petting (which
 *   is taken as just before the permit ended), the master's silence at least W. W = DN + WD.
 * Not modelled: the lease, several VMs, the ledger (one list of versions), the master's own clock faults.
 * Checked: the VM never runs on two hosts.
 *
 * Weakenings (each must be violated):
 *   -DW=2        the wait leaves the watchdog out
 *   INHERIT      a new master counts the silence of before it was active
 *   RECEIPT      a permit lasts from its receipt
 *   ANYASK       a permit of an older ask counts for the present one
 *   SAMENONCE    nonces begin anew after a restart
 *   NOINDEX      a host starts the VM before it applied the version of its permit
 *   PETALWAYS    the watchdog is petted without a permit
 *   NOARM        a host's VMs are moved though it did not commit that it is armed
 *   ARMLATE      the master's silence of before that commit counts (found by this model)
 *   RESTARTS     a host that said "stopped" starts the VM again in the same placement
 *   ANYSTOPPED   (MOVES=3 EPOCHS=1) a "stopped" of an older placement counts
 *   FENCEISSUE   permits are issued between the proof and the move
 *   WAITCOUNTS   (SEIZE) after a seize, waiting counts as proof for a host of the other side
 *   FENCEBOOT    (SEIZE) a fence that lets the host boot again counts as proof for the other side
 * Must hold: (default), SEIZE, and OLDEPOCH (permits below the highest epoch seen are taken: covered by the
 *   nonce and the wait as long as the lease is perfect; the rule is for when it is not).
 * Bounds and numbers of states: tests/model/run.py.
 */
#ifndef DN
#define DN 2
#endif
#ifndef WD
#define WD 1
#endif
#ifndef W
#define W 3
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef EPOCHS
#define EPOCHS 2
#endif

byte version;               /* committed placements */
byte epoch; bit acts;     /* the master */
byte silence[2];            /* ticks it still has to be active without issuing to the host */
bit  armed_committed[2]; bit fenced[2];
byte said_stopped[2];       /* 1 + version of the last signed "stopped" */
bit  seized; bit moved;     /* the new generation, and that it placed the VM on host 1 */

bit  runs[2]; bit armed[2]; bit off[2];
byte applied[2]; byte seen[2];
byte ask[2]; bit old[2];    /* ticks left of the outstanding ask; old: an ask went before it */
byte live[2]; byte lidx[2]; /* the permit */
byte wd[2];
byte cur[4]; byte prev[4];  /* permits in the air, by host and epoch: 1 + version; of the present ask, of an older one */
#define CUR(h,e)  cur[(h) * 2 + (e) - 1]
#define PREV(h,e) prev[(h) * 2 + (e) - 1]
#define past(h,e) PREV(h,e) = (CUR(h,e) -> CUR(h,e) : PREV(h,e))
#if defined(ANYASK) || defined(SAMENONCE)
#define forget_ask(h) past(h,1); past(h,2); CUR(h,1) = 0; CUR(h,2) = 0
#else /* none will be taken */
#define forget_ask(h) CUR(h,1) = 0; CUR(h,2) = 0
#endif

#ifdef INHERIT
#define begin_silence skip
#else
#define begin_silence silence[0] = W; silence[1] = W
#endif
#define S_MASTER :: d_step { !acts && epoch < EPOCHS -> epoch++; printf("@ master of epoch %d\n", epoch); acts = 1; begin_silence }
#define S_LAPSE :: d_step { acts && epoch < EPOCHS -> printf("@ the master lapses\n"); acts = 0; silence[0] = 0; silence[1] = 0 }
#ifdef FENCEISSUE
#define unfence(h) skip
#else
#define unfence(h) fenced[h] = 0
#endif
#define S_ISSUE(h) :: d_step { acts && ask[h] && CUR(h,epoch) != version + 1 -> printf("@ epoch %d: permit to host %d, version %d\n", epoch, h, version); \
	CUR(h,epoch) = version + 1; silence[h] = W; unfence(h) }
#ifdef NOARM
#define counts_on(h) true
#else
#define counts_on(h) armed_committed[h]
#endif
#ifdef ANYSTOPPED
#define stopped(h) said_stopped[h]
#else
#define stopped(h) (said_stopped[h] == version + 1)
#endif
#define S_MOVE(h) :: d_step { acts && !seized && version < MOVES && (version & 1) == h && ((silence[h] == 0 && counts_on(h)) || stopped(h) || fenced[h]) -> \
	printf("@ epoch %d moves the VM from host %d: silence %d, stopped %d, fenced %d\n", epoch, h, silence[h], stopped(h), fenced[h]); version++; fenced[h] = 0 }

#define S_ASK(h) :: d_step { !off[h] && armed[h] && ask[h] < DN -> printf("@ host %d asks\n", h); forget_ask(h); ask[h] = DN }
#ifdef RECEIPT
#define lasts(h) DN
#else
#define lasts(h) ask[h]
#endif
#ifdef OLDEPOCH
#define new_enough(h,e) true
#else
#define new_enough(h,e) (e >= seen[h])
#endif
#define take(h,e,i) live[h] = lasts(h); lidx[h] = i; seen[h] = (e > seen[h] -> e : seen[h])
#ifdef RECEIPT
#define S_PERMIT(h,e) :: d_step { !off[h] && CUR(h,e) && new_enough(h,e) -> printf("@ host %d: permit of epoch %d\n", h, e); take(h,e,CUR(h,e) - 1); CUR(h,e) = 0 }
#else
#define S_PERMIT(h,e) :: d_step { !off[h] && ask[h] && CUR(h,e) && new_enough(h,e) && (live[h] < ask[h] || lidx[h] != CUR(h,e) - 1) -> printf("@ host %d: permit of epoch %d\n", h, e); take(h,e,CUR(h,e) - 1) }
#endif
#define S_LATE(h,e) :: d_step { !off[h] && ask[h] && PREV(h,e) && LATE_OK(h) && new_enough(h,e) -> printf("@ host %d: permit of epoch %d for an older ask\n", h, e); take(h,e,PREV(h,e) - 1) }
#ifdef SAMENONCE
#define LATE_OK(h) old[h]
#define reborn(h) old[h] = 1
#else
#define LATE_OK(h) true
#define reborn(h) skip
#endif
#ifdef NOINDEX
#define knows(h) true
#else
#define knows(h) (applied[h] >= lidx[h])
#endif
#ifdef RESTARTS
#define may_again(h) true
#else
#define may_again(h) (said_stopped[h] != applied[h] + 1)
#endif
#define here(h) ((applied[h] & 1) == h)
#define ONCE assert(!(runs[0] && runs[1]))
#define S_RUN(h) :: d_step { !off[h] && !runs[h] && armed[h] && here(h) && live[h] && knows(h) && may_again(h) && !(seized && h == 1) -> printf("@ host %d starts the VM\n", h); runs[h] = 1; wd[h] = WD; ONCE }
#define S_HALT(h) :: d_step { runs[h] && armed[h] -> printf("@ the VM on host %d ends\n", h); runs[h] = 0; wd[h] = 0 }
#define S_STOPPED(h) :: d_step { !off[h] && !runs[h] && armed[h] && here(h) && said_stopped[h] != applied[h] + 1 -> printf("@ host %d says: version %d stopped\n", h, applied[h]); said_stopped[h] = applied[h] + 1 }
#define S_APPLY(h) :: d_step { !off[h] && applied[h] < version -> printf("@ host %d applies version %d\n", h, applied[h] + 1); applied[h]++ }
#define S_ARM :: d_step { !armed[0] && !off[0] -> printf("@ host 0 arms its watchdog\n"); armed[0] = 1; wd[0] = WD }
#ifdef ARMLATE
#define begin_armed skip
#else
#define begin_armed silence[0] = W /* it may have armed this moment, without a permit */
#endif
#define S_ARMED :: d_step { armed[0] && !armed_committed[0] && acts -> printf("@ host 0 is committed as armed\n"); armed_committed[0] = 1; begin_armed }
#define reset(h) runs[h] = 0; wd[h] = 0; live[h] = 0; lidx[h] = 0; ask[h] = 0; forget_ask(h); reborn(h)
#define S_FENCE(h) :: d_step { acts && !off[h] && !fenced[h] -> printf("@ host %d is fenced\n", h); reset(h); fenced[h] = 1; off[h] = 1 }
#define S_BOOT(h) :: d_step { off[h] && MAY_BOOT -> printf("@ host %d boots\n", h); off[h] = 0 }
#if defined(SEIZE) && !defined(FENCEBOOT)
#define MAY_BOOT false /* off, and stays off */
#else
#define MAY_BOOT true
#endif

#ifdef WAITCOUNTS
#define proved (off[0] || silence[1] == 0)
#elif defined(FENCEBOOT)
#define proved fenced[0]
#else
#define proved off[0]
#endif
/* The new generation's master serves host 1; silence[1] counts its silence to host 0. */
#define S_SEIZE :: d_step { acts && version == 0 && !seized -> printf("@ a new generation is founded beside the old master\n"); seized = 1; silence[1] = W }
#define S_PLACE :: d_step { seized && !moved && proved && armed_committed[0] -> printf("@ the new generation places the VM on host 1\n"); moved = 1 }
#define S_RUNNEW :: d_step { moved && !runs[1] && !off[1] -> printf("@ host 1 starts the VM in the new generation\n"); runs[1] = 1; wd[1] = WD; live[1] = DN; ONCE }

#ifdef PETALWAYS
#define runs_out(h) false
#else
#define runs_out(h) (runs[h] && armed[h] && live[h] == 0 && wd[h] <= 1)
#endif
#define TICKH(h) if :: runs_out(h) -> printf("@ host %d is reset by its watchdog\n", h); reset(h) \
	:: else -> if :: live[h] -> live[h]--; wd[h] = (runs[h] -> WD : 0) :: else -> wd[h] = (wd[h] > 0 -> wd[h] - 1 : 0); lidx[h] = 0 fi fi; \
	if :: ask[h] == 1 -> ask[h] = 0; forget_ask(h) :: else ask[h] = (ask[h] -> ask[h] - 1 : 0) fi; silence[h] = (silence[h] -> silence[h] - 1 : 0)
#define HH(X) X(0) X(1)
#define HE(X) X(0,1) X(0,2) X(1,1) X(1,2)

active proctype world()
{
	d_step { runs[0] = 1; armed[1] = 1; armed_committed[1] = 1 }
	do
	:: d_step { ask[0] || ask[1] || live[0] || live[1] || wd[0] || wd[1] || silence[0] || silence[1] -> printf("@ tick\n"); TICKH(0); TICKH(1) }
	S_MASTER
	S_LAPSE
	HH(S_ISSUE)
	HH(S_MOVE)
	HH(S_ASK)
	HE(S_PERMIT)
#if defined(ANYASK) || defined(SAMENONCE)
	HE(S_LATE)
#endif
	HH(S_RUN)
	HH(S_HALT)
	HH(S_STOPPED)
	HH(S_APPLY)
	S_ARM
	S_ARMED
	S_FENCE(0)
	S_BOOT(0)
#ifdef SEIZE
	S_SEIZE
	S_PLACE
	S_RUNNEW
#endif
	od
}
