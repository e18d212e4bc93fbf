" The names that Ollama's Modelfiles go by. setfiletype leaves alone what was recognised by its ending:
" Modelfile.md, modelfile.py.
autocmd BufNewFile,BufRead [Mm]odelfile,[Mm]odelfile[._-]*,[Mm]odelfile[0-9]*,*.[Mm]odelfile
\ setfiletype modelfile
