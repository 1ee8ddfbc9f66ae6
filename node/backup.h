/*
 * backup.h: `cluster backup`: all rows as they were at one moment, given to its client as fast as
 * that one takes them.
 *
 *     verb_cluster_backup: rows are copied --> backup_more, whenever the client's queue is empty
 *     --> head, rows, {rows, checksum}
 *
 * The copy is what makes it one moment: writes go on while a slow client reads. Only one at a time
 * is under way, because it takes as much memory as the ledger.
 */
#ifndef ESSAIM_BACKUP_H
#define ESSAIM_BACKUP_H

struct client;
struct backup;

/* Queues some more; the client is done after the last row. */
void backup_more(struct client *client);

/* The client is gone, or done. NULL is fine. */
void backup_free(struct backup *backup);

#endif
