" Layout, for ALE: let g:ale_fixers = {'modelfile': [function('ale#fixers#modelfile_lint#Fix')]}
call ale#Set('modelfile_lint_executable', 'modelfile-lint')

function! ale#fixers#modelfile_lint#Fix(buffer) abort
  let l:executable = ale#Var(a:buffer, 'modelfile_lint_executable')
  return {'command': ale#Escape(l:executable) . ' format -'}
endfunction
