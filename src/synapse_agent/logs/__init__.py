"""The logs of jobs: where they lie, how they are followed, and how they are sent.

A log is a file on the node where the job's driver runs; `sources` opens it, on this machine, over HTTP at
that node's own agent, or with bounded requests of Ray's state API. One `FollowedLog` per job watches that
file and the job's status for all who tail it, and asks again, finds the file again and goes on from the
same byte when anything between breaks. Every tail is a position in it: what it reads comes from blocks in
memory, else from the spool on disk, else from the source, so that many watchers cost the cluster one. A log
is whole only when the job was over before a read that found nothing more on the driver's node; anything
else ends in an error that names the node and the last byte. `windows` finds where a tail begins, `lines`
cuts bytes into lines, `events` frames them, and `handlers` answers requests.
"""
