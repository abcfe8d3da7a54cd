"""The logs of jobs: where they are, how they are followed, and how they are sent.

A log is a file on the node where the job's driver runs. `locate` finds it, and `sources` and
`state_file` read it: on this machine, over HTTP from Ray's agent on that node, or by requests to Ray's
state API. One `FollowedLog` for each job (`follow`, kept by `registry`) watches that file and the job's
status for all tails; when a connection breaks, it requests the status again, finds the file again and
continues from the same byte. A tail is a position in that log. It reads from blocks in memory, else from
the spool on disk, else from the source, so that many tails cost the cluster no more than one. A log is
complete only if the job was over before a read that found nothing more on the driver's node. Anything
else ends in an error that names the node and the last byte. `windows` finds where a tail begins, `lines`
splits bytes into lines, `events` frames them, `streams` sends them, and `handlers` answers requests.
"""
