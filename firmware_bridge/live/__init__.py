"""Follow objects on a camera, live: capture, tracker loop, page, recording, results.

    camera ─ capture (a process) ─ supervisor ─ slot ─► loop ─ tracker ─► outlets: preview, results,
                                                         ▲                          recording
                                        page, window ─ control

Only ``loop`` touches the tracker. What comes before it drops old pictures, what comes after it
drops what it cannot keep up with; both count. Reasons: docs/adr/0016.
"""
