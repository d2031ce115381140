def test_render(results, diverge, fail):
    import os, shutil
    from resnet_jax.lab import report
    import time
    report.build(results.path)
    t=time.time(); r=report.build(results.path); print(time.time()-t)
    for v in r.verdicts: print(v.outcome, v.text, v.numbers, v.notes, v.rule)
    shutil.copytree(results.path, "/tmp/b/report1", dirs_exist_ok=True)
    diverge("plain56-seed1-abcdef"); fail("resnet32-seed0-abcdef"); shutil.rmtree(results.runs/"resnet56-seed2-abcdef")
    r=report.build(results.path)
    for v in r.verdicts: print(v.outcome, v.text, v.numbers, v.notes, v.rule)
    shutil.copytree(results.path, "/tmp/b/report2", dirs_exist_ok=True)
